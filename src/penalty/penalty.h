/*
 * penalty/penalty - what a penalty must say of itself.
 *
 * Floor:    penalty (may include: grad op kern core).
 * Contract: one penalty a file; it defines one `LAR_ENTRY(penalty, <file>)`. lambda is not a
 *           parameter of the entry: every function gets `l`, the strength in force, so one
 *           object serves a whole path or schedule. All slots describe the same function
 *           l Omega(w). A NULL slot means "cannot".
 *
 * Scalar slots (double) serve coordinate descent and oracles. A separable penalty streams
 * over rows of coordinates in the tensor's own dtype, its scalar maths inlined, because a
 * call per coordinate costs more than the whole budget (penalty/separable.h writes both from
 * the same functions); the engine cuts the work and adds up. A coupled penalty has slots for
 * whole tensors, row-major contiguous, float32 or float64.
 */
#ifndef LAR_PENALTY_PENALTY_H
#define LAR_PENALTY_PENALTY_H

#include "core/entry.h"
#include "core/param.h"
#include "core/tensor.h"
#include "grad/outputs.h"

enum {
  LAR_CONVEX = 1u << 0,
  LAR_SEPARABLE = 1u << 1,  /* a sum over coordinates: scalar slots and rows exist */
  LAR_SMOOTH = 1u << 2,     /* differentiable everywhere: goes into the gradient */
  LAR_CONSTRAINT = 1u << 3, /* an indicator: value 0 or infinity, prox a projection, no l */
  LAR_GROUPED = 1u << 4,    /* reads at->groups */
  LAR_RADIAL = 1u << 5,     /* a rising function of the norms |w_g|: its prox only shrinks */
  LAR_EUCLIDEAN = 1u << 6,  /* its prox knows no metric: one step for all */
  LAR_ABSOLUTE = 1u << 7,   /* a function of the |w_j| that falls with none of them */
  LAR_SOFT = 1u << 8,       /* radial after soft thresholding: an l1 term and norms */
  LAR_FUSING = 1u << 9,     /* a sum of |w_i - w_j|: its prox merges coordinates */
  LAR_FALLIBLE = 1u << 10,  /* its prox allocates or iterates: it may fail */
  LAR_KNEE = 1u << 11,      /* l is also where it bends: not l times one function */
  LAR_RANKED = 1u << 12,    /* at->weight is of ranks: falling, as many as coordinates */
  LAR_NESTED = 1u << 13,    /* listed groups may hold others, which come before them */
  LAR_OVERLAP = 1u << 14,   /* listed groups may overlap in any way */
  LAR_GRAPH = 1u << 15,     /* its groups are pairs: the edges of a graph, with weights */
};

/* More of them. */
enum {
  LAR_FLAT = 1u << 19, /* its gradient is 0 where it exists: no subgradient mode */
  LAR_NORM = 1u << 20, /* a norm or seminorm; without at_max, lambda_max comes of its prox */
};

/* Penalties of networks. */
enum {
  LAR_FORWARD = 1u << 16, /* of a forward pass, through `forward`; no other slot */
  LAR_TOWARDS = 1u << 17, /* reads at->towards */
  LAR_FISHER = 1u << 18,  /* reads at->fisher */
};

/* Groups of the coordinates of one tensor. Either laid out as a row-major block (outer, n,
 * inner) in which coordinate (o, g, i) belongs to group g, or, with `order`, listed: group g
 * is order[start[g]..start[g + 1]), rising; coordinates may be in no group. */
typedef struct lar_groups {
  int64_t n, numel, outer, inner;
  int64_t *start, *order;
} lar_groups;

/* Where a penalty is applied: its parameters, and what belongs to the tensor. */
typedef struct lar_pen_at {
  const void *self;
  double l;                 /* strength; 1 for constraints */
  const lar_tensor *weight; /* float64, contiguous; of separable ones per coordinate, of radial
                               ones per group, of ranked ones per rank; NULL: 1 */
  const double *l1_weight;  /* per coordinate, of the l1 part of LAR_SOFT; NULL: 1 */
  const lar_groups *groups; /* for LAR_GROUPED */
  const double *towards, *fisher; /* per coordinate, for LAR_TOWARDS and LAR_FISHER */
} lar_pen_at;

/* One forward pass of a model, as penalties of it see it; all values are recorded. x requires
 * a gradient where a penalty has said so, and loss is NULL where there is none. */
typedef struct lar_pass {
  lar_var *x, *pred, *loss;
  int n;
  const lar_output *const *at; /* the outputs of layers in the penalty's scope */
} lar_pass;

/* What a penalty of the forward pass needs of it. */
typedef enum lar_sees {
  LAR_SEES_LAYERS = 1, /* outputs of layers: it takes a scope */
  LAR_SEES_INPUT = 2,  /* derivatives with respect to x */
  LAR_SEES_LOSS = 4,
  LAR_SEES_PASS = 8, /* set for all of them */
} lar_sees;

/* Over coordinates [begin, end) of arrays of one dtype. The i-th step is step, or
 * step * metric[i]. */
typedef struct lar_pen_rows {
  double (*value)(const lar_pen_at *at, const void *w, int64_t begin, int64_t end);
  void (*grad)(const lar_pen_at *at, const void *w, void *g, int64_t begin, int64_t end);
  void (*prox)(const lar_pen_at *at, void *w, double step, const void *metric, int64_t begin,
               int64_t end);
} lar_pen_rows;

/* A member of the family a|w| + b/2 w^2 + [lo <= w <= hi], closed under sums, with the prox
 * clip(soft(v, t a) / (1 + t b), lo, hi): what lets such penalties compose exactly. */
typedef struct lar_simple {
  double a, b, lo, hi;
} lar_simple;

typedef struct lar_penalty {
  const char *name, *doc, *source;
  const char *formula; /* "lambda |w|_1", for printing; names of parameters become numbers */
  const lar_param *params;
  size_t size;
  unsigned traits;
  const char *by; /* default grouping of LAR_GROUPED; NULL: must be given */
  lar_status (*check)(const void *self); /* joint constraints; may be NULL */

  double (*value1)(const void *self, double l, double w);
  double (*grad1)(const void *self, double l, double w); /* 0 taken at kinks */
  double (*prox1)(const void *self, double l, double v, double step);
  double (*subdist1)(const void *self, double l, double w, double g); /* |g + subgradient| */
  double (*at_max1)(const void *self, double g); /* lar_penalty_max for one coordinate */
  const lar_pen_rows *rows[2];                   /* float32, float64 */
  void (*simple)(const void *self, double l, lar_simple *out); /* when in that family */

  /* *out = l Omega(w) */
  lar_status (*value)(const lar_pen_at *at, const lar_tensor *w, double *out);
  /* g += a (sub)gradient at w (0 taken at kinks) */
  lar_status (*grad)(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g);
  /* w = argmin_u sum_j (u_j - w_j)^2 / (2 step_j) + l Omega(u), in place; metric is of w's
   * dtype and contiguous, or NULL. */
  lar_status (*prox)(const lar_pen_at *at, const lar_tensor *w, double step,
                     const lar_tensor *metric);

  /* Of LAR_FORWARD: Omega of the pass as a graph value with one element, without l. */
  lar_var *(*forward)(const void *self, lar_scope *s, const lar_pass *pass);
  unsigned sees;   /* of lar_sees */
  const char *see; /* kind of layer it sees by default; NULL: "activation" */
  /* The standard deviation of noise on the weights in forward passes in training. */
  double (*noise)(const void *self, double l);
  /* Of ranked ones: the weights of n ranks, when none are given. */
  void (*ranks)(const void *self, int64_t n, double *out);
  /* lar_penalty_max of ones that are not separable, weights included. */
  lar_status (*at_max)(const lar_pen_at *at, const lar_tensor *g, double *out);
  /* Of LAR_NORM: take off w (float64) its part where the penalty is 0. NULL: those are
   * coordinates, and a prox of great strength leaves nothing else. */
  lar_status (*centre)(const lar_pen_at *at, const lar_tensor *w);
} lar_penalty;

/* Has it a prox? */
bool lar_penalty_has_prox(const lar_penalty *p);

/* The least l at which w = 0 is stationary for a loss with the gradient g there, so that the
 * prox keeps it; what has weight 0 does not count. Of a seminorm (differences) w is where the
 * loss is least among points at which the penalty is 0, and a part of g along those does not
 * count. NaN where g is not finite. LAR_EARG for a penalty that has none. */
lar_status lar_penalty_max(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *g,
                           double *out);

extern const lar_penalty *const lar_penalties[]; /* ends in NULL; made by make */
const lar_penalty *lar_penalty_find(const char *name);

/* The slots of either kind on whole tensors: row-major contiguous float32 or float64. */
lar_status lar_penalty_value(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *w,
                             double *out);
lar_status lar_penalty_grad(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *w,
                            const lar_tensor *g);
lar_status lar_penalty_prox(const lar_penalty *p, const lar_pen_at *at, const lar_tensor *w,
                            double step, const lar_tensor *metric);

/* ---- groups ---- */

/* By what, for a tensor of that shape: "output" or "row" (dimension 1: the weights into a
 * unit, a filter), "input" or "column" (dimension 2: the weights out of an input), "channel"
 * (dimension 1 of a kernel or of a vector of gains), "all" (one group). */
lar_status lar_groups_by(lar_groups *out, const char *by, const lar_tensor *w);
/* From int64 ids 1..n (0: in no group), one for each coordinate; or from lists of 1-based
 * positions (in row-major order) in `list`, sizes[k] of them for group k. */
lar_status lar_groups_ids(lar_groups *out, const lar_tensor *ids);
lar_status lar_groups_lists(lar_groups *out, int64_t numel, int64_t n, const int64_t *sizes,
                            const int64_t *list);
/* From lists whose groups may hold each other (those inside first); with `any`, overlap. */
lar_status lar_groups_cover(lar_groups *out, int64_t numel, int64_t n, const int64_t *sizes,
                            const int64_t *list, bool any);
/* The edges between neighbours along the last dimension ("chain") or the last two ("grid"). */
lar_status lar_groups_graph(lar_groups *out, const char *by, const lar_tensor *w);
void lar_groups_clear(lar_groups *g);

/* stmt for every coordinate j of group g. */
#define LAR_GROUP_WALK(G, g, stmt)                                                          \
  if ((G)->order != NULL)                                                                   \
    for (int64_t i_ = (G)->start[g]; i_ < (G)->start[(g) + 1]; i_++) {                      \
      const int64_t j = (G)->order[i_];                                                     \
      stmt;                                                                                 \
    }                                                                                       \
  else                                                                                      \
    for (int64_t o_ = 0; o_ < (G)->outer; o_++)                                             \
      for (int64_t i_ = 0, at_ = (o_ * (G)->n + (g)) * (G)->inner; i_ < (G)->inner; i_++) { \
        const int64_t j = at_ + i_;                                                         \
        stmt;                                                                               \
      }

/* Number of coordinates in group g. */
static inline int64_t lar_groups_size(const lar_groups *g, int64_t k) {
  return g->order != NULL ? g->start[k + 1] - g->start[k] : g->outer * g->inner;
}

static inline double lar_groups_weight(const lar_pen_at *at, int64_t g) {
  return at->weight != NULL ? ((const double *)lar_tensor_data(at->weight))[g] : 1;
}

/* The norms of a contiguous tensor's groups. */
void lar_groups_norms(const lar_groups *G, const lar_tensor *w, double *out);

/* at_max of what has the slope l sqrt(|g|) times its weight at |w_g| = 0. */
lar_status lar_groups_max(const lar_pen_at *at, const lar_tensor *g, double *out);

/* Do a and b group alike? */
bool lar_groups_same(const lar_groups *a, const lar_groups *b);

/* What a constraint's value forgives of rounding, relative, in a file compiled for a dtype. */
#if defined(LAR_REAL_F32)
#define LAR_SLACK 1e-6
#else
#define LAR_SLACK 1e-9
#endif

/* As messages show it: NaN has no sign. */
static inline double lar_shown(double v) { return isnan(v) ? fabs(v) : v; }

/* ---- shared maths; NaN stays NaN ---- */

/* The point of [0, v] left after pulling |v| in by t. */
static inline double lar_soft(double v, double t) {
  double a = fabs(v);
  return a <= t ? 0.0 : copysign(a - t, v);
}

/* Distance from 0 to slope + kink * subdifferential of |.| at w. */
static inline double lar_kink(double w, double slope, double kink) {
  return w == 0 ? fmax(fabs(slope) - kink, 0.0) : fabs(slope + copysign(kink, w));
}

#endif
