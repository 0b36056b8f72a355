/*
 * kern/pool_planes - the typed loops of kern/pool: chunks of planes (core/par.h).
 */
#ifndef LAR_KERN_POOL_PLANES_H
#define LAR_KERN_POOL_PLANES_H

#include "core/par.h"
#include "kern/pool.h"

typedef struct lar_pool_job {
  const lar_pool *v;
  void *to;
  const void *from, *x;
} lar_pool_job;

extern lar_par_body lar_pool_max_f32, lar_pool_max_f64, lar_pool_max_spread_f32,
  lar_pool_max_spread_f64, lar_pool_max_pick_f32, lar_pool_max_pick_f64, lar_pool_mean_f32,
  lar_pool_mean_f64, lar_pool_mean_spread_f32, lar_pool_mean_spread_f64;

/* A plane of windows of 2 by 2 side by side (kern/pool_pairs). */
#define LAR_PAIRS_TYPED(real, s)                                                        \
  void lar_pairs_max_##s(const lar_pool *v, real *y, const real *x);                    \
  void lar_pairs_spread_##s(const lar_pool *v, real *to, const real *g, const real *x); \
  void lar_pairs_decode_##s(const lar_pool *v, real *to, const real *g,                 \
                            const unsigned char *code)
LAR_PAIRS_TYPED(float, f32);
LAR_PAIRS_TYPED(double, f64);

#endif
