/*
 * penalty/compose - the prox of a sum of non-smooth terms on one tensor.
 *
 * Floor:    penalty.
 * Contract: exact where a theorem says so, in any diagonal metric unless noted:
 *   1. members of the family a|w| + b/2 w^2 + [lo, hi] (l1, elastic_net, l2, box,
 *      nonnegative), weighted or not: the family is closed under sums, its prox is closed.
 *   2. those, with bounds at 0 or infinity only, then one g that depends on the |w_j| alone and
 *      falls with none of them (norms of groups, balls; convex or not). Between the bounds
 *      a|w| moves v to v - t a where that keeps its sign; elsewhere u = 0 is best for both.
 *      (For convex g also Yu 2013, NIPS 26, theorem 1.) b goes into the metric: t / (1 + t b).
 *      With b alone, g may be anything.
 *   3. radial terms with the same groups, one after the other, norms before balls: there the
 *      prox only scales groups (the same theorem; one step for all coordinates). Before them
 *      any norm or seminorm, when they are of its own groups or of the norm of all: a multiple
 *      of a point has its subgradients (Yu 2013, theorem 4).
 *   4. sums of |w_i - w_j|, then members of the family that are the same for all coordinates:
 *      their prox is a rising function of each coordinate, which keeps the signs of
 *      differences or makes them 0 (Friedman et al. 2007, Ann. Appl. Stat. 1(2), lemma A.1;
 *      one step for all coordinates).
 * Otherwise, where all are convex, Dykstra-like splitting in float64 (Bauschke & Combettes
 * 2008, Pacific J. Optim. 4(3); cyclic block ascent on the dual), until a cycle moves nothing
 * by more than 1e-10 of the tensor's scale; coordinates that one of the proxes holds at 0 are
 * exactly 0. A sum whose prox does not settle (constraints that contradict each other) is an
 * error, and so is one with a term that is not convex to which no theorem applies.
 */
#ifndef LAR_PENALTY_COMPOSE_H
#define LAR_PENALTY_COMPOSE_H

#include <math.h>

#include "penalty/reg.h"

typedef enum lar_prox_plan {
  LAR_PLAN_NONE,   /* nothing acts by prox */
  LAR_PLAN_ONE,    /* one term */
  LAR_PLAN_SIMPLE, /* theorem 1 */
  LAR_PLAN_RADIAL, /* theorems 1 and 2 */
  LAR_PLAN_CHAIN,  /* and 3 where the metric allows, else splitting */
  LAR_PLAN_FUSED,  /* theorem 4 where there is no metric, else splitting */
  LAR_PLAN_SPLIT,
  LAR_PLAN_REFUSED,
} lar_prox_plan;

/* A term that acts by prox on the tensor, with its strength in force. `hold` is for terms
 * that act by gradient and whose infinite weights hold coordinates at 0. */
enum { LAR_MAX_PARTS = 32 };

typedef struct lar_part {
  const lar_term *term;
  lar_pen_at at;
  bool hold;
} lar_part;

/* Put parts in the order in which they act, and say how. same: do these two radial parts
 * group alike? */
lar_prox_plan lar_compose_plan(int n, lar_part *part,
                               bool (*same)(const lar_part *, const lar_part *));

/* The error of LAR_PLAN_REFUSED: which two parts cannot be composed, and what to do. */
lar_status lar_compose_refuse(int n, const lar_part *part, const char *name);

/* "l1, then group_lasso: exact" for printing, into buf. */
void lar_compose_text(lar_prox_plan plan, int n, const lar_part *part, char *buf, size_t size);

/* All addends on parameter i, with their strengths in force; returns their number. */
int lar_bound_parts(const lar_bound *b, int i, lar_part part[LAR_MAX_PARTS]);

/* Work space, made at first need and kept; all zeros is empty. */
typedef struct lar_compose_work {
  int n;
  lar_tensor *at;
} lar_compose_work;

void lar_compose_clear(lar_compose_work *work);

/* w (contiguous) becomes its prox; name is for messages. */
lar_status lar_compose_prox(lar_prox_plan plan, int n, const lar_part *part,
                            lar_compose_work *work, const lar_tensor *w, double step,
                            const lar_tensor *metric, const char *name);

/* ---- typed loops (penalty/stream.c) ---- */

/* The sum of n members of the family. */
static inline lar_simple lar_simple_sum(int n, const lar_simple *at) {
  lar_simple sum = {.lo = -HUGE_VAL, .hi = HUGE_VAL};
  for (int k = 0; k < n; k++) {
    sum.a += at[k].a;
    sum.b += at[k].b;
    sum.lo = at[k].lo > sum.lo ? at[k].lo : sum.lo;
    sum.hi = at[k].hi < sum.hi ? at[k].hi : sum.hi;
  }
  return sum;
}

/* The sum of n members of the simple family, over [begin, end): w becomes its prox, and
 * fold (may be NULL) the metric left for what follows. */
typedef struct lar_simples {
  int n;
  const lar_simple *at;
  const double *const *weight; /* of each; an entry may be NULL */
  double step;
  void *w, *fold;
  const void *metric;
} lar_simples;

void lar_simples_f32(void *simples, int64_t begin, int64_t end);
void lar_simples_f64(void *simples, int64_t begin, int64_t end);

/* y += a x */
void lar_axpy_f32(int64_t n, double a, const void *x, void *y);
void lar_axpy_f64(int64_t n, double a, const void *x, void *y);
void lar_axpy(double a, const lar_tensor *x, const lar_tensor *y); /* both contiguous */

/* ---- in stretches (penalty/fused.c) ---- */

/* What follows the simple ones of a prox that is taken stretch by stretch. */
typedef enum lar_follow {
  LAR_FOLLOW_NONE,
  LAR_FOLLOW_ROWS,   /* a separable penalty, in the same stretch */
  LAR_FOLLOW_GROUPS, /* one of groups that lie whole in the stretch */
  LAR_FOLLOW_WHOLE,  /* one that needs the whole tensor: lar_fused_rest */
} lar_follow;

/* A prox for a caller that runs it over stretches of coordinates while they are at hand, in any
 * order and on any thread: lar_fused_run for each, then lar_fused_rest. Stretches begin at
 * multiples of `align`. */
typedef struct lar_fused {
  lar_prox_plan plan;
  lar_follow follow;
  lar_dtype dtype;
  int n, nsimple;
  int64_t align;
  double step, left; /* left: the step of what follows, where no metric says it */
  bool folds;        /* the simple ones change the metric */
  lar_part part[LAR_MAX_PARTS];
  lar_simple at[LAR_MAX_PARTS];
} lar_fused;

/* Fill f (plan, n and part are set); false where the prox cannot be cut. Groups of more than
 * `most` coordinates are left to the rest. */
bool lar_compose_fuse(lar_fused *f, lar_dtype dtype, double step, bool metric, int64_t most);

/* Coordinates [begin, end): w and metric (NULL: none; overwritten) point at the first. */
void lar_fused_run(const lar_fused *f, void *w, void *metric, int64_t begin, int64_t end);
lar_status lar_fused_rest(const lar_fused *f, const lar_tensor *w, const lar_tensor *metric);

/* The same penalty for the coordinates from `begin` on; `weight` is room for a view. */
lar_pen_at lar_pen_at_from(const lar_pen_at *at, int64_t begin, lar_tensor *weight);

/* ---- for penalty/fused.c ---- */

int lar_compose_simple(int n, const lar_part *part); /* how many of the first are simple */
lar_simple lar_part_simple(const lar_part *p);
double lar_part_total(int n, const lar_part *part); /* sum of b, -1 where it differs */
bool lar_part_euclidean(const lar_part *p);
lar_status lar_part_prox(const lar_part *p, const lar_tensor *w, double step,
                         const lar_tensor *metric);

#endif
