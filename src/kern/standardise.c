#include "kern/standardise.h"

#include "core/par.h"

/* As many groups at a time as make some work; whole cache lines of neighbouring channels. */
static int64_t grain(const lar_standard *j) {
  enum { WORK = 16384, LINE = 64 };
  int64_t size = j->outer * j->inner, groups = size < WORK ? WORK / (size + 1) + 1 : 1;
  return j->inner < LINE ? (groups + LINE - 1) / LINE * LINE : groups;
}

void lar_standardise(lar_dtype t, const lar_standard *job) {
  lar_standard j = *job;
  lar_par_for(j.c, grain(&j),
              t == LAR_F32 ? lar_standardise_groups_f32 : lar_standardise_groups_f64, &j);
}

void lar_standardise_slope(lar_dtype t, const lar_standard *job) {
  lar_standard j = *job;
  lar_par_for(
    j.c, grain(&j),
    t == LAR_F32 ? lar_standardise_slope_groups_f32 : lar_standardise_slope_groups_f64, &j);
}
