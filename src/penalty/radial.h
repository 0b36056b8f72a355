/*
 * penalty/radial - the loops of a penalty that is a function of the norms of groups.
 *
 * Include after core/real.h. A file with a parameter struct `type` says what it does with a
 * group of `size` coordinates and norm `r`:
 *   static inline double value(const type *p, double l, double size, double r)
 *   static inline double slope(const type *p, double l, double size, double r)  d value / dr
 *   static inline double shrink(const type *p, double l, double size, double r, double t)
 *                                             the norm left by the prox with step t
 *   static inline lar_secular secular(const type *p, double l, double size)
 * and LAR_RADIAL_LOOPS(type), LAR_RADIAL_SLOTS(name) in its entry.
 *
 * In a diagonal metric (steps t_j) the prox of a group is u_j = kappa v_j / (alpha + beta t_j):
 *   of beta |u|       alpha = kappa is |u|, the root of |v / (alpha + beta t)| = 1;
 *   of the ball |u| <= c   alpha = kappa = 1 and beta is the root of |v / (1 + beta t)| = c.
 * In both 1/norm is concave in the unknown, so Newton's method from 0 rises to the root and
 * never passes it (More & Sorensen 1983, SIAM J. Sci. Stat. Comput. 4(3)); with equal t_j its
 * first step is exact.
 */
#ifndef LAR_PENALTY_RADIAL_H
#define LAR_PENALTY_RADIAL_H

#include <stdbool.h>

#include "core/par.h"
#include "core/real.h"
#include "penalty/penalty.h"

/* ball: target is its radius c and beta unknown; else beta is given and alpha unknown. */
typedef struct lar_secular {
  bool ball;
  double beta, target;
} lar_secular;

/* Groups are worked on in blocks with their sums on the stack. */
enum { LAR_RADIAL_BLOCK = 128, LAR_RADIAL_WORK = 32768, LAR_RADIAL_PARTS = 256 };

typedef struct lar_radial {
  const lar_pen_at *at;
  const real *w, *metric;
  real *to;
  double step, *part;
  int64_t grain;
} lar_radial;

/* acc[k] = sum of expr over the coordinates j of group g = begin + k, for k < n. */
#define LAR_GROUP_SUM(G, begin, n, acc, expr)                                                \
  do {                                                                                       \
    if ((G)->order != NULL) {                                                                \
      for (int64_t k = 0; k < (n); k++) {                                                    \
        double sum = 0;                                                                      \
        for (int64_t i = (G)->start[(begin) + k]; i < (G)->start[(begin) + k + 1]; i++) {    \
          const int64_t j = (G)->order[i];                                                   \
          sum += (expr);                                                                     \
        }                                                                                    \
        (acc)[k] = sum;                                                                      \
      }                                                                                      \
    } else if ((G)->inner == 1) {                                                            \
      for (int64_t k = 0; k < (n); k++) (acc)[k] = 0;                                        \
      for (int64_t o = 0; o < (G)->outer; o++)                                               \
        _Pragma("GCC ivdep") for (int64_t k = 0; k < (n); k++) {                             \
          const int64_t j = o * (G)->n + (begin) + k;                                        \
          (acc)[k] += (expr);                                                                \
        }                                                                                    \
    } else {                                                                                 \
      for (int64_t k = 0; k < (n); k++) {                                                    \
        double sum = 0;                                                                      \
        for (int64_t o = 0; o < (G)->outer; o++) {                                           \
          const int64_t at_ = (o * (G)->n + (begin) + k) * (G)->inner;                       \
          _Pragma("omp simd reduction(+ : sum)") for (int64_t j = at_; j < at_ + (G)->inner; \
                                                      j++) sum += (expr);                    \
        }                                                                                    \
        (acc)[k] = sum;                                                                      \
      }                                                                                      \
    }                                                                                        \
  } while (0)

/* stmt for every coordinate j of those groups. */
#define LAR_GROUP_EACH(G, begin, n, stmt)                                                 \
  do {                                                                                    \
    if ((G)->order != NULL) {                                                             \
      for (int64_t k = 0; k < (n); k++)                                                   \
        for (int64_t i = (G)->start[(begin) + k]; i < (G)->start[(begin) + k + 1]; i++) { \
          const int64_t j = (G)->order[i];                                                \
          stmt;                                                                           \
        }                                                                                 \
    } else if ((G)->inner == 1) {                                                         \
      for (int64_t o = 0; o < (G)->outer; o++)                                            \
        _Pragma("GCC ivdep") for (int64_t k = 0; k < (n); k++) {                          \
          const int64_t j = o * (G)->n + (begin) + k;                                     \
          stmt;                                                                           \
        }                                                                                 \
    } else {                                                                              \
      for (int64_t k = 0; k < (n); k++)                                                   \
        for (int64_t o = 0; o < (G)->outer; o++) {                                        \
          const int64_t at_ = (o * (G)->n + (begin) + k) * (G)->inner;                    \
          _Pragma("GCC ivdep") for (int64_t j = at_; j < at_ + (G)->inner; j++) { stmt; } \
        }                                                                                 \
    }                                                                                     \
  } while (0)

/* The sums of squares of groups begin.. of w. */
static inline void lar_radial_squares(const lar_groups *G, const real *w, int64_t begin,
                                      int64_t n, double *acc) {
  LAR_GROUP_SUM(G, begin, n, acc, (double)w[j] * (double)w[j]);
}

/* q = |v / (alpha + beta t)|^2 of each group, and -1/2 its derivative in the unknown. */
static inline void lar_radial_sweep(const lar_radial *r, bool ball, int64_t begin, int64_t n,
                                    const double *alpha, const double *beta, double *q,
                                    double *d) {
  const lar_groups *G = r->at->groups;
  const real *v = r->w, *m = r->metric;
  const double t = r->step;
#define LAR_DENOMINATOR (alpha[k] + beta[k] * (t * (double)m[j]))
#define LAR_QUOTIENT    ((double)v[j] / LAR_DENOMINATOR)
  LAR_GROUP_SUM(G, begin, n, q, LAR_QUOTIENT * LAR_QUOTIENT);
  if (ball)
    LAR_GROUP_SUM(G, begin, n, d,
                  LAR_QUOTIENT * LAR_QUOTIENT / LAR_DENOMINATOR * (t * (double)m[j]));
  else
    LAR_GROUP_SUM(G, begin, n, d, LAR_QUOTIENT * LAR_QUOTIENT / LAR_DENOMINATOR);
}

/* Newton from 0 for all groups of a block at once; x is the unknown among alpha, beta. A
 * group is done (its target 0) where its step no longer matters. */
static inline void lar_radial_newton(const lar_radial *r, bool ball, int64_t begin, int64_t n,
                                     double *alpha, double *beta, double *target) {
  enum { ROUNDS = 60 };
  double q[LAR_RADIAL_BLOCK], d[LAR_RADIAL_BLOCK], *x = ball ? beta : alpha;
  int64_t left = n;
  for (int round = 0; round < ROUNDS && left > 0; round++) {
    lar_radial_sweep(r, ball, begin, n, alpha, beta, q, d);
    left = 0;
    for (int64_t k = 0; k < n; k++) {
      if (target[k] == 0) continue;
      double move = q[k] / d[k] * (sqrt(q[k]) / target[k] - 1);
      bool on = move > 1e-15 * x[k]; /* false for NaN too */
      if (on) x[k] += move;
      if (on && isfinite(x[k]))
        left++;
      else
        target[k] = 0;
    }
  }
}

/* w = kappa w / (alpha + beta t), or 0 where kappa is 0. */
static inline void lar_radial_put(const lar_radial *r, int64_t begin, int64_t n,
                                  const double *kappa, const double *alpha,
                                  const double *beta) {
  const lar_groups *G = r->at->groups;
  const real *v = r->w, *m = r->metric;
  real *to = r->to;
  const double t = r->step;
  LAR_GROUP_EACH(G, begin, n,
                 to[j] =
                   kappa[k] == 0 ? (real)0 : (real)((double)v[j] * kappa[k] / LAR_DENOMINATOR));
}

/* Groups whose v / t is within beta go to 0; a ball leaves those within it alone. */
static inline void lar_radial_metric(const lar_radial *r, const lar_secular *s, int64_t begin,
                                     int64_t n) {
  double alpha[LAR_RADIAL_BLOCK], beta[LAR_RADIAL_BLOCK], target[LAR_RADIAL_BLOCK];
  double q[LAR_RADIAL_BLOCK], d[LAR_RADIAL_BLOCK], kappa[LAR_RADIAL_BLOCK];
  bool ball = s[0].ball;
  for (int64_t k = 0; k < n; k++) {
    alpha[k] = ball ? 1 : 0;
    beta[k] = ball ? 0 : s[k].beta > 0 ? s[k].beta : 1;
    target[k] = ball ? s[k].target : 1;
  }
  lar_radial_sweep(r, ball, begin, n, alpha, beta, q, d);
  for (int64_t k = 0; k < n; k++) {
    bool free = !ball && !(s[k].beta > 0), still = sqrt(q[k]) <= target[k];
    kappa[k] = still && !ball && !free ? 0 : 1;
    if (free) alpha[k] = 1, beta[k] = 0;
    if (ball && target[k] == 0) kappa[k] = 0;
    if (free || still) target[k] = 0;
    if (ball && still) beta[k] = 0;
  }
  lar_radial_newton(r, ball, begin, n, alpha, beta, target);
  for (int64_t k = 0; k < n && !ball; k++)
    if (kappa[k] != 0 && beta[k] > 0) kappa[k] = alpha[k];
  lar_radial_put(r, begin, n, kappa, alpha, beta);
}

/* How many groups make a chunk of work; for sums, few enough chunks. */
static inline int64_t lar_radial_grain(const lar_groups *G, bool parts) {
  int64_t each = G->n > 0 ? G->numel / G->n : 1, grain = LAR_RADIAL_WORK / (each + 1) + 1;
  if (G->order == NULL && G->inner == 1 && grain < 64) grain = 64;
  int64_t least = (G->n + LAR_RADIAL_PARTS - 1) / LAR_RADIAL_PARTS;
  return parts && grain < least ? least : grain;
}

#define LAR_RADIAL_BODY(body)                                                     \
  static void body##_part(void *ctx, int64_t begin, int64_t end) {                \
    const lar_radial *r = ctx;                                                    \
    for (int64_t g = begin; g < end; g += LAR_RADIAL_BLOCK)                       \
      body##_block(r, g, end - g < LAR_RADIAL_BLOCK ? end - g : LAR_RADIAL_BLOCK, \
                   begin / r->grain);                                             \
  }

#define LAR_RADIAL_LOOPS(type)                                                              \
  static void value_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {        \
    double s[LAR_RADIAL_BLOCK];                                                             \
    lar_radial_squares(r->at->groups, r->w, g, n, s);                                       \
    for (int64_t k = 0; k < n; k++)                                                         \
      r->part[part] += value(r->at->self, r->at->l,                                         \
                             (double)lar_groups_size(r->at->groups, g + k), sqrt(s[k]));    \
  }                                                                                         \
  static void grad_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {         \
    const lar_groups *G = r->at->groups;                                                    \
    double s[LAR_RADIAL_BLOCK];                                                             \
    const real *w = r->w;                                                                   \
    real *to = r->to;                                                                       \
    lar_radial_squares(G, w, g, n, s);                                                      \
    for (int64_t k = 0; k < n; k++) {                                                       \
      double norm = sqrt(s[k]), size = (double)lar_groups_size(G, g + k);                   \
      s[k] = norm == 0 ? 0 : slope(r->at->self, r->at->l, size, norm) / norm;               \
    }                                                                                       \
    LAR_GROUP_EACH(G, g, n, to[j] += (real)s[k] * w[j]);                                    \
  }                                                                                         \
  static void prox_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {         \
    const lar_groups *G = r->at->groups;                                                    \
    double s[LAR_RADIAL_BLOCK];                                                             \
    real *to = r->to;                                                                       \
    lar_radial_squares(G, to, g, n, s);                                                     \
    for (int64_t k = 0; k < n; k++) {                                                       \
      double norm = sqrt(s[k]), size = (double)lar_groups_size(G, g + k);                   \
      double left = norm == 0 ? 0 : shrink(r->at->self, r->at->l, size, norm, r->step);     \
      s[k] = left == norm ? 1 : left / norm;                                                \
    }                                                                                       \
    LAR_GROUP_EACH(G, g, n, to[j] = s[k] == 0 ? (real)0 : to[j] * (real)s[k]);              \
  }                                                                                         \
  static void metric_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {       \
    lar_secular s[LAR_RADIAL_BLOCK];                                                        \
    for (int64_t k = 0; k < n; k++)                                                         \
      s[k] = secular(r->at->self, r->at->l, (double)lar_groups_size(r->at->groups, g + k)); \
    lar_radial_metric(r, s, g, n);                                                          \
  }                                                                                         \
  LAR_RADIAL_BODY(value)                                                                    \
  LAR_RADIAL_BODY(grad)                                                                     \
  LAR_RADIAL_BODY(prox)                                                                     \
  LAR_RADIAL_BODY(metric)                                                                   \
  LAR_RADIAL_TENSORS

/* The whole-tensor functions of this dtype, kept in a table for the entry. */
typedef struct lar_radial_table {
  double (*value)(const lar_pen_at *at, const void *w);
  void (*grad)(const lar_pen_at *at, const void *w, void *g);
  void (*prox)(const lar_pen_at *at, void *w, double step, const void *metric);
} lar_radial_table;

#define LAR_RADIAL_TENSORS                                                                    \
  static double value_all(const lar_pen_at *at, const void *w) {                              \
    double part[LAR_RADIAL_PARTS] = {0}, sum = 0;                                             \
    lar_radial r = {.at = at, .w = w, .part = part};                                          \
    r.grain = lar_radial_grain(at->groups, true);                                             \
    lar_par_for(at->groups->n, r.grain, value_part, &r);                                      \
    for (int k = 0; k < LAR_RADIAL_PARTS; k++) sum += part[k];                                \
    return sum;                                                                               \
  }                                                                                           \
  static void grad_all(const lar_pen_at *at, const void *w, void *g) {                        \
    lar_radial r = {.at = at, .w = w, .to = g, .grain = lar_radial_grain(at->groups, false)}; \
    lar_par_for(at->groups->n, r.grain, grad_part, &r);                                       \
  }                                                                                           \
  static void prox_all(const lar_pen_at *at, void *w, double step, const void *metric) {      \
    lar_radial r = {.at = at, .w = w, .to = w, .step = step, .metric = metric};               \
    r.grain = lar_radial_grain(at->groups, false);                                            \
    lar_par_for(at->groups->n, r.grain, metric != NULL ? metric_part : prox_part, &r);        \
  }

#if defined(LAR_REAL_F32)
#define LAR_RADIAL_ENTRY(name)                           \
  extern const lar_radial_table lar_radial_##name##_f32; \
  const lar_radial_table lar_radial_##name##_f32 = {value_all, grad_all, prox_all};
#define LAR_RADIAL_SLOTS .value = NULL
#else
#define LAR_RADIAL_ENTRY(name)                                                                \
  extern const lar_radial_table lar_radial_##name##_f32;                                      \
  static lar_status value_of(const lar_pen_at *at, const lar_tensor *w, double *out) {        \
    *out = (w->dtype == LAR_F32 ? lar_radial_##name##_f32.value                               \
                                : value_all)(at, lar_tensor_data(w));                         \
    return LAR_OK;                                                                            \
  }                                                                                           \
  static lar_status grad_of(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) { \
    (w->dtype == LAR_F32 ? lar_radial_##name##_f32.grad : grad_all)(at, lar_tensor_data(w),   \
                                                                    lar_tensor_data(g));      \
    return LAR_OK;                                                                            \
  }                                                                                           \
  static lar_status prox_of(const lar_pen_at *at, const lar_tensor *w, double step,           \
                            const lar_tensor *metric) {                                       \
    (w->dtype == LAR_F32 ? lar_radial_##name##_f32.prox : prox_all)(                          \
      at, lar_tensor_data(w), step, metric != NULL ? lar_tensor_data(metric) : NULL);         \
    return LAR_OK;                                                                            \
  }
#define LAR_RADIAL_SLOTS .value = value_of, .grad = grad_of, .prox = prox_of
#endif

#endif
