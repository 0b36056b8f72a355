#include "kern/standardise.h"

#include "core/mem.h"
#include "core/par.h"

enum { WORK = 16384 };

static int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }

static lar_status columns(lar_dtype t, const lar_standard *job) {
  int64_t size = (int64_t)lar_dtype_size(t), groups = LAR_STANDARD_BLOCK / job->inner;
  lar_standard_tiles j = {.job = job, .wide = job->c * job->inner};
  bool f32 = t == LAR_F32;
  j.width = (job->c < groups ? job->c : groups) * job->inner;
  j.across = (j.wide + j.width - 1) / j.width;
  j.rows = at_least(2 * WORK / j.width, 32);
  j.down = (job->outer + j.rows - 1) / j.rows;
  int64_t sums = j.across * j.down * 2 * j.width;
  void *p;
  LAR_TRY(lar_alloc_raw(&p, (size_t)(sums * 8 + 3 * j.wide * size), 1));
  j.part = p;
  j.shift = j.part + sums;
  j.scale = (char *)j.shift + j.wide * size;
  j.slope = (char *)j.scale + j.wide * size;
  lar_par_for(j.across * j.down, 1, f32 ? lar_standard_sum_f32 : lar_standard_sum_f64, &j);
  lar_par_for(j.across, 1, f32 ? lar_standard_join_f32 : lar_standard_join_f64, &j);
  lar_par_for(job->outer, at_least(WORK / j.wide, 1),
              f32 ? lar_standard_write_f32 : lar_standard_write_f64, &j);
  lar_free(p);
  return LAR_OK;
}

lar_status lar_standardise(lar_dtype t, const lar_standard *job) {
  lar_standard j = *job;
  if (j.outer * j.c * j.inner == 0) return LAR_OK;
  if (j.inner < LAR_STANDARD_SHORT) return columns(t, &j);
  lar_par_for(j.c, WORK / (j.outer * j.inner) + 1,
              t == LAR_F32 ? lar_standard_runs_f32 : lar_standard_runs_f64, &j);
  return LAR_OK;
}
