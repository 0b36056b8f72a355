#include "core/par.h"

#include <omp.h>

void lar_par_for(int64_t n, int64_t grain, lar_par_body *body, void *ctx) {
  int64_t chunks = grain > 0 ? (n + grain - 1) / grain : 1;
  if (chunks <= 1) {
    if (n > 0) body(ctx, 0, n);
    return;
  }
  if (omp_in_parallel() || omp_get_max_threads() == 1) {
    for (int64_t c = 0; c < chunks; c++)
      body(ctx, c * grain, (c + 1) * grain < n ? (c + 1) * grain : n);
    return;
  }
#pragma omp parallel for schedule(static)
  for (int64_t c = 0; c < chunks; c++)
    body(ctx, c * grain, (c + 1) * grain < n ? (c + 1) * grain : n);
}

int lar_par_threads(void) { return omp_get_max_threads(); }

void lar_par_set_threads(int n) { omp_set_num_threads(n); }
