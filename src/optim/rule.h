/*
 * optim/rule - how a rule's update is written once for both dtypes.
 *
 * Include after core/real.h. `LAR_UPDATE(adam) { ... }` defines the pass of this dtype, with
 * the arguments of lar_update; LAR_UPDATES(adam) names both in the entry.
 */
#ifndef LAR_OPTIM_RULE_H
#define LAR_OPTIM_RULE_H

#include <tgmath.h>

#include "core/real.h"
#include "optim/optim.h"

#define LAR_UPDATE(name)                                                                       \
  extern lar_update lar_update_##name##_f32, lar_update_##name##_f64;                          \
  void LAR_PASTE(lar_update_##name,                                                            \
                 LAR_SUFFIX)(const void *self, double lr, int64_t t, int64_t n, void *weights, \
                             const void *gradient, void *const *state, void *metric)
#define LAR_UPDATES(name) \
  { lar_update_##name##_f32, lar_update_##name##_f64 }

/* The arrays never overlap; a loop may be cut into vectors. */
#define LAR_STEP(i) _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++)

#endif
