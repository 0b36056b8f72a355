#include "kern/xent.h"

#include "core/par.h"

void lar_xent(lar_dtype t, int64_t n, lar_xent_job *job) {
  enum { GRAIN = 512 };
  int64_t grain = job->k < GRAIN ? GRAIN / (job->k + 1) : 1;
  lar_par_for(n, grain, t == LAR_F32 ? lar_xent_rows_f32 : lar_xent_rows_f64, job);
}
