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
  LAR_TRY(lar_alloc_raw(&p, (size_t)(sums * 8 + 4 * j.wide * size), 1));
  j.part = p;
  j.shift = j.part + sums;
  j.scale = (char *)j.shift + j.wide * size;
  j.slope = (char *)j.scale + j.wide * size;
  j.rest = (char *)j.slope + j.wide * size;
  lar_par_for(j.across * j.down, 1, f32 ? lar_standard_sum_f32 : lar_standard_sum_f64, &j);
  lar_par_for(j.across, 1, f32 ? lar_standard_join_f32 : lar_standard_join_f64, &j);
  lar_par_for(job->outer, at_least(WORK / j.wide, 1),
              f32 ? lar_standard_write_f32 : lar_standard_write_f64, &j);
  lar_free(p);
  return LAR_OK;
}

typedef struct chunks {
  lar_standard *job;
  lar_par_body *body;
} chunks;

static void chunk(void *ctx, int64_t k) {
  const chunks *w = ctx;
  int64_t begin = k * w->job->grain, end = begin + w->job->grain;
  w->body(w->job, begin, end < w->job->c ? end : w->job->c);
}

/* Few groups that are large are shared out as well. */
static void each_run(lar_standard *j, lar_par_body *body) {
  int64_t n = (j->c + j->grain - 1) / j->grain;
  chunks w = {j, body};
  if (n < LAR_PAR_LEAST && j->outer * j->inner >= 2 * WORK)
    lar_par_tasks(n, chunk, &w);
  else
    lar_par_for(j->c, j->grain, body, j);
}

static lar_status runs(lar_dtype t, lar_standard *j) {
  bool gains = j->g != NULL && j->gain != NULL, f32 = t == LAR_F32;
  void *p = NULL;
  j->grain = WORK / (j->outer * j->inner) + 1;
  if (gains && j->per == j->inner) { /* a part for each chunk of whole rows of gains */
    j->grain = j->count / j->per * at_least(2 * WORK / j->count, 16);
    j->down = (j->c + j->grain - 1) / j->grain;
  } else if (gains) {
    j->down = j->outer * j->c * j->per / j->count;
  }
  if (gains) LAR_TRY(lar_alloc_raw(&p, (size_t)(j->down * 2 * j->count), sizeof(double)));
  j->part = p;
  each_run(j, f32 ? lar_standard_runs_f32 : lar_standard_runs_f64);
  if (gains) (f32 ? lar_standard_gains_f32 : lar_standard_gains_f64)(j);
  lar_free(p);
  return LAR_OK;
}

lar_status lar_standardise(lar_dtype t, const lar_standard *job) {
  lar_standard j = *job;
  if (j.outer * j.c * j.inner == 0) return LAR_OK;
  return j.outer > 1 && j.inner < LAR_STANDARD_SHORT ? columns(t, &j) : runs(t, &j);
}
