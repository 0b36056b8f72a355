/*
 * penalty/penalty - what a penalty must say of itself.
 *
 * Floor:    penalty (may include: grad op kern core, grad/params.h).
 * Contract: one penalty a file; it defines one `LAR_ENTRY(penalty, <file>)`. lambda is not a
 *           parameter of the entry: every function gets `l`, the strength in force, so one
 *           object serves a whole path or schedule. All slots describe the same function
 *           l Omega(w). A NULL slot means "cannot".
 *
 * Scalar slots (double) serve coordinate descent and oracles. Vector slots stream a whole
 * tensor in its own dtype in one pass, because a call per coordinate costs more than the
 * whole budget; w is row-major contiguous there.
 */
#ifndef LAR_PENALTY_PENALTY_H
#define LAR_PENALTY_PENALTY_H

#include "core/entry.h"
#include "core/param.h"
#include "core/tensor.h"

enum {
  LAR_CONVEX = 1u << 0,
  LAR_SEPARABLE = 1u << 1,  /* a sum over coordinates: scalar slots exist */
  LAR_SMOOTH = 1u << 2,     /* differentiable everywhere: goes into the gradient */
  LAR_CONSTRAINT = 1u << 3, /* an indicator: value 0 or infinity, prox a projection */
  LAR_GROUPED = 1u << 4,    /* reads at->groups */
  LAR_NO_LAMBDA = 1u << 5,  /* takes no strength (constraints) */
};

/* Groups of the coordinates of one tensor: id[j] in 0..n-1, or -1 for none. */
typedef struct lar_groups {
  int64_t n, numel;
  int64_t *id, *size; /* size[g]: coordinates in group g */
} lar_groups;

/* Where a penalty is applied: its parameters, and what belongs to the tensor. */
typedef struct lar_pen_at {
  const void *self;
  double l;                 /* strength */
  const lar_tensor *weight; /* per coordinate, float64 contiguous, or NULL (all 1) */
  const lar_groups *groups; /* for LAR_GROUPED */
} lar_pen_at;

typedef struct lar_penalty {
  const char *name, *doc, *source;
  const char *formula; /* "lambda |w|_1", for printing */
  const lar_param *params;
  size_t size;
  unsigned traits;
  lar_status (*check)(const void *self); /* joint constraints; may be NULL */

  double (*value1)(const void *self, double l, double w);
  double (*grad1)(const void *self, double l, double w); /* of the smooth ones; 0 at kinks */
  double (*prox1)(const void *self, double l, double v, double step);
  double (*subdist1)(const void *self, double l, double w, double g); /* |g + subgradient| */

  /* *out = l Omega(w) */
  lar_status (*value)(const lar_pen_at *at, const lar_tensor *w, double *out);
  /* g += a (sub)gradient at w (0 taken at kinks) */
  lar_status (*grad)(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g);
  /* w = argmin_u sum_j (u_j - w_j)^2 / (2 step_j) + l Omega(u), in place. step_j = step, or
   * step * metric[j] (w's dtype) when metric is given. */
  lar_status (*prox)(const lar_pen_at *at, const lar_tensor *w, double step,
                     const lar_tensor *metric);
} lar_penalty;

extern const lar_penalty *const lar_penalties[]; /* ends in NULL; made by make */
const lar_penalty *lar_penalty_find(const char *name);

/* ---- groups ---- */

/* By what: "input" "output" "row" "column" "channel" for a tensor of that shape. */
lar_status lar_groups_by(lar_groups *out, const char *by, const lar_tensor *w);
/* From int64 ids 1..n of w's shape; from lists of 1-based indices (flattened) in `list`,
 * `sizes[k]` of them for group k. */
lar_status lar_groups_ids(lar_groups *out, const lar_tensor *ids);
lar_status lar_groups_lists(lar_groups *out, int64_t numel, int64_t n, const int64_t *sizes,
                            const int64_t *list);
void lar_groups_clear(lar_groups *g);

/* ---- shared maths ---- */

/* The point of [0, v] left after pulling |v| in by t. */
static inline double lar_soft(double v, double t) {
  return copysign(fmax(fabs(v) - t, 0.0), v);
}

/* Distance from 0 to slope + kink * subdifferential of |.| at w. */
static inline double lar_kink(double w, double slope, double kink) {
  return w == 0 ? fmax(fabs(slope) - kink, 0.0) : fabs(slope + copysign(kink, w));
}

#endif
