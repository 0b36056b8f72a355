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
 * Proxes in a diagonal metric are in penalty/secular.h.
 *
 * Before including this a file may define
 *   LAR_RADIAL_L1(p, l)      the strength of an l1 term that acts first (LAR_SOFT);
 *   LAR_RADIAL_WITHIN(p)     the norm up to which a group costs nothing and stays;
 *   LAR_RADIAL_METRIC(type)  its own metric_block, for norms that are not convex
 *                            (penalty/concave.h).
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
enum {
  LAR_RADIAL_BLOCK = 128,
  LAR_RADIAL_WORK = 32768,
  LAR_RADIAL_PARTS = 256,
  LAR_RADIAL_ROWS = 4,  /* added up at a time, in columns */
  LAR_RADIAL_LANES = 16 /* and in rows */
};

typedef struct lar_radial {
  const lar_pen_at *at;
  const real *w, *metric;
  real *to;
  double step, *part;
  int64_t grain;
} lar_radial;

/* a[k] and b[k] = sums of x and y over the coordinates j of group first + k, for k < count: a
 * statement, for lists, for columns, for rows and blocks. */
#define LAR_GROUP_SUMS(G, first, count, a, x, b, y)                                            \
  if ((G)->order != NULL)                                                                      \
    for (int64_t k = 0; k < (count); k++) {                                                    \
      double sx = 0, sy = 0;                                                                   \
      for (int64_t i = (G)->start[(first) + k]; i < (G)->start[(first) + k + 1]; i++) {        \
        const int64_t j = (G)->order[i];                                                       \
        sx += (x);                                                                             \
        sy += (y);                                                                             \
      }                                                                                        \
      (a)[k] = sx;                                                                             \
      (b)[k] = sy;                                                                             \
    }                                                                                          \
  else if ((G)->inner == 1) {                                                                  \
    int64_t o_ = 0;                                                                            \
    for (int64_t k = 0; k < (count); k++) (a)[k] = (b)[k] = 0;                                 \
    for (; o_ + LAR_RADIAL_ROWS <= (G)->outer; o_ += LAR_RADIAL_ROWS)                          \
      _Pragma("GCC ivdep") for (int64_t k = 0; k < (count); k++) {                             \
        double sx = 0, sy = 0;                                                                 \
        _Pragma("GCC unroll 4") for (int64_t i = 0; i < LAR_RADIAL_ROWS; i++) {                \
          const int64_t j = (o_ + i) * (G)->n + (first) + k;                                   \
          sx += (x);                                                                           \
          sy += (y);                                                                           \
        }                                                                                      \
        (a)[k] += sx;                                                                          \
        (b)[k] += sy;                                                                          \
      }                                                                                        \
    for (; o_ < (G)->outer; o_++) _Pragma("GCC ivdep") for (int64_t k = 0; k < (count); k++) { \
        const int64_t j = o_ * (G)->n + (first) + k;                                           \
        (a)[k] += (x);                                                                         \
        (b)[k] += (y);                                                                         \
      }                                                                                        \
  } else                                                                                       \
    for (int64_t k = 0; k < (count); k++) {                                                    \
      double sx = 0, sy = 0;                                                                   \
      for (int64_t o = 0; o < (G)->outer; o++) {                                               \
        const int64_t at_ = (o * (G)->n + (first) + k) * (G)->inner;                           \
        _Pragma("omp simd reduction(+ : sx, sy)") for (int64_t j = at_; j < at_ + (G)->inner;  \
                                                       j++) {                                  \
          sx += (x);                                                                           \
          sy += (y);                                                                           \
        }                                                                                      \
      }                                                                                        \
      (a)[k] = sx;                                                                             \
      (b)[k] = sy;                                                                             \
    }

/* stmt for every coordinate j of those groups. */
#define LAR_GROUP_EACH(G, first, count, stmt)                                           \
  if ((G)->order != NULL)                                                               \
    for (int64_t k = 0; k < (count); k++)                                               \
      for (int64_t i = (G)->start[(first) + k]; i < (G)->start[(first) + k + 1]; i++) { \
        const int64_t j = (G)->order[i];                                                \
        stmt;                                                                           \
      }                                                                                 \
  else if ((G)->inner == 1)                                                             \
    for (int64_t o = 0; o < (G)->outer; o++)                                            \
      _Pragma("GCC ivdep") for (int64_t k = 0; k < (count); k++) {                      \
        const int64_t j = o * (G)->n + (first) + k;                                     \
        stmt;                                                                           \
      }                                                                                 \
  else                                                                                  \
    for (int64_t k = 0; k < (count); k++)                                               \
      for (int64_t o = 0; o < (G)->outer; o++) {                                        \
        const int64_t at_ = (o * (G)->n + (first) + k) * (G)->inner;                    \
        _Pragma("GCC ivdep") for (int64_t j = at_; j < at_ + (G)->inner; j++) stmt;     \
      }

/* Is each group one stretch? */
static inline bool lar_radial_is_rows(const lar_groups *G) {
  return G->order == NULL && G->outer == 1;
}

static inline double lar_radial_square(const real *w, int64_t n) {
  double lane[LAR_RADIAL_LANES] = {0}, sum = 0;
  int64_t j = 0;
  for (; j + LAR_RADIAL_LANES <= n; j += LAR_RADIAL_LANES)
    _Pragma("omp simd") for (int k = 0; k < LAR_RADIAL_LANES; k++) lane[k] +=
      (double)w[j + k] * (double)w[j + k];
  for (; j < n; j++) sum += (double)w[j] * (double)w[j];
  for (int half = LAR_RADIAL_LANES / 2; half > 0; half /= 2) /* in pairs: few wait for others */
    for (int k = 0; k < half; k++) lane[k] += lane[k + half];
  return sum + lane[0];
}

/* The sums of squares of groups begin.. of w. */
static inline void lar_radial_squares(const lar_groups *G, const real *w, int64_t begin,
                                      int64_t n, double *acc) {
  double twice[LAR_RADIAL_BLOCK]; /* not used: compilers leave it out */
  if (lar_radial_is_rows(G))
    for (int64_t k = 0; k < n; k++)
      acc[k] = lar_radial_square(w + (begin + k) * G->inner, G->inner);
  else
    LAR_GROUP_SUMS(G, begin, n, acc, (double)w[j] * (double)w[j], twice, 0)
}

#include "penalty/secular.h"

/* How many groups make a chunk of work; for sums, few enough chunks. */
static inline int64_t lar_radial_grain(const lar_groups *G, bool parts) {
  int64_t each = G->n > 0 ? G->numel / G->n : 1, grain = LAR_RADIAL_WORK / (each + 1) + 1;
  if (G->order == NULL && G->inner == 1 && grain < 64) grain = 64;
  int64_t least = (G->n + LAR_RADIAL_PARTS - 1) / LAR_RADIAL_PARTS;
  return parts && grain < least ? least : grain;
}

/* Groups may be weighted: 0 is free, infinite excludes (the group is 0, and then free). */
static inline double lar_radial_weight(const lar_radial *r, int64_t g) {
  return r->at->weight == NULL ? 1 : ((const double *)lar_tensor_data(r->at->weight))[g];
}

static inline double lar_radial_l(const lar_radial *r, int64_t g) {
  double weight = lar_radial_weight(r, g);
  return weight < HUGE_VAL ? r->at->l * weight : 0;
}

static inline double lar_radial_out(const lar_radial *r, int64_t g, double square) {
  return square > 0 && lar_radial_weight(r, g) == HUGE_VAL ? HUGE_VAL : 0;
}

static inline void lar_radial_exclude(const lar_radial *r) {
  const lar_groups *G = r->at->groups;
  const int64_t n = 1;
  for (int64_t g = 0; r->at->weight != NULL && g < G->n; g++)
    if (lar_radial_weight(r, g) == HUGE_VAL) {
      LAR_GROUP_EACH(G, g, n, r->to[j] = 0);
    }
}

/* Are all groups of a block surely shorter than `most`? A quick look, in the tensor's own
 * dtype; rows and blocks only, and doubt (rounding, range, NaN) is no. */
static inline bool lar_radial_short(const lar_radial *r, int64_t begin, int64_t n,
                                    double most) {
  enum { LANES = 64 };
  const lar_groups *G = r->at->groups;
  if (G->order != NULL || G->outer != 1 || r->at->weight != NULL || !(most > 1e-12))
    return false;
  for (int64_t g = begin; g < begin + n; g++) {
    const real *v = r->w + g * G->inner;
    real lane[LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= G->inner; i += LANES)
      _Pragma("omp simd") for (int k = 0; k < LANES; k++) lane[k] += v[i + k] * v[i + k];
    for (; i < G->inner; i++) sum += v[i] * v[i];
    for (int half = LANES / 2; half > 0; half /= 2)
      for (int k = 0; k < half; k++) lane[k] += lane[k + half];
    sum += lane[0];
    if (!((double)sum < 0.999 * most * most)) return false;
  }
  return true;
}

#ifndef LAR_RADIAL_WITHIN
#define LAR_RADIAL_WITHIN(p) 0.0
#endif

#ifndef LAR_RADIAL_L1
#define LAR_RADIAL_L1(p, l) 0.0
#endif

#ifndef LAR_RADIAL_METRIC
#define LAR_RADIAL_METRIC(type)                                                          \
  static void metric_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {    \
    lar_secular s[LAR_RADIAL_BLOCK];                                                     \
    if (lar_radial_short(r, g, n, LAR_RADIAL_WITHIN((const type *)r->at->self))) return; \
    lar_radial_soft(r, g, n, LAR_RADIAL_L1((const type *)r->at->self, r->at->l));        \
    for (int64_t k = 0; k < n; k++)                                                      \
      s[k] = secular(r->at->self, lar_radial_l(r, g + k),                                \
                     (double)lar_groups_size(r->at->groups, g + k));                     \
    lar_radial_metric(r, s, g, n);                                                       \
  }
#endif

/* What an l1 term with the strength a has to do with the block: value, gradient, prox. */
static inline double lar_radial_sizes(const lar_radial *r, int64_t begin, int64_t n, double a) {
  double sum = 0;
  const double *wt = r->at->l1_weight;
  if (a > 0 && wt != NULL) {
    LAR_GROUP_EACH(r->at->groups, begin, n,
                   sum += r->w[j] == 0 ? 0 : wt[j] * fabs((double)r->w[j]));
  } else if (a > 0) {
    LAR_GROUP_EACH(r->at->groups, begin, n, sum += fabs((double)r->w[j]));
  }
  return a * sum;
}

/* What a weight excludes has no slope. */
static inline void lar_radial_signs(const lar_radial *r, int64_t begin, int64_t n, double a) {
  const double *wt = r->at->l1_weight;
  if (a > 0 && wt != NULL) {
    LAR_GROUP_EACH(r->at->groups, begin, n,
                   r->to[j] += r->w[j] == 0 || wt[j] == HUGE_VAL
                                 ? (real)0
                                 : (real)copysign(a * wt[j], (double)r->w[j]));
  } else if (a > 0) {
    LAR_GROUP_EACH(r->at->groups, begin, n,
                   r->to[j] += r->w[j] == 0 ? (real)0 : (real)copysign(a, (double)r->w[j]));
  }
}

static inline void lar_radial_soft(const lar_radial *r, int64_t begin, int64_t n, double a) {
  real *to = r->to;
  const real *m = r->metric;
  const double t = r->step * a, *wt = r->at->l1_weight;
  if (a > 0 && wt != NULL) {
    LAR_GROUP_EACH(r->at->groups, begin, n,
                   to[j] =
                     (real)lar_soft((double)to[j], t * wt[j] * (m != NULL ? (double)m[j] : 1)));
  } else if (a > 0 && m != NULL) {
    LAR_GROUP_EACH(r->at->groups, begin, n,
                   to[j] = (real)lar_soft((double)to[j], t * (double)m[j]));
  } else if (a > 0) {
    LAR_GROUP_EACH(r->at->groups, begin, n, to[j] = (real)lar_soft((double)to[j], t));
  }
}

#define LAR_RADIAL_BODY(body)                                                     \
  static void body##_part(void *ctx, int64_t begin, int64_t end) {                \
    const lar_radial *r = ctx;                                                    \
    for (int64_t g = begin; g < end; g += LAR_RADIAL_BLOCK)                       \
      body##_block(r, g, end - g < LAR_RADIAL_BLOCK ? end - g : LAR_RADIAL_BLOCK, \
                   begin / r->grain);                                             \
  }

#define LAR_RADIAL_LOOPS(type)                                                            \
  static void value_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {      \
    double s[LAR_RADIAL_BLOCK];                                                           \
    if (lar_radial_short(r, g, n, LAR_RADIAL_WITHIN((const type *)r->at->self))) return;  \
    lar_radial_squares(r->at->groups, r->w, g, n, s);                                     \
    r->part[part] +=                                                                      \
      lar_radial_sizes(r, g, n, LAR_RADIAL_L1((const type *)r->at->self, r->at->l));      \
    for (int64_t k = 0; k < n; k++)                                                       \
      r->part[part] += lar_radial_out(r, g + k, s[k]) +                                   \
                       value(r->at->self, lar_radial_l(r, g + k),                         \
                             (double)lar_groups_size(r->at->groups, g + k), sqrt(s[k]));  \
  }                                                                                       \
  static real push(const lar_radial *r, int64_t g, double square) {                       \
    double norm = sqrt(square), size = (double)lar_groups_size(r->at->groups, g);         \
    double l = lar_radial_l(r, g);                                                        \
    return norm == 0 ? (real)0 : (real)(slope(r->at->self, l, size, norm) / norm);        \
  }                                                                                       \
  /* A row is near when its norm is known. */                                             \
  static void grad_row(const lar_radial *r, int64_t g) {                                  \
    const int64_t n = r->at->groups->inner;                                               \
    const real *w = r->w + g * n, by = push(r, g, lar_radial_square(w, n));               \
    real *to = r->to + g * n;                                                             \
    _Pragma("GCC ivdep") for (int64_t j = 0; j < n; j++) to[j] += by * w[j];              \
  }                                                                                       \
  static void grad_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {       \
    const lar_groups *G = r->at->groups;                                                  \
    double s[LAR_RADIAL_BLOCK];                                                           \
    real by[LAR_RADIAL_BLOCK];                                                            \
    const real *w = r->w;                                                                 \
    real *to = r->to;                                                                     \
    lar_radial_signs(r, g, n, LAR_RADIAL_L1((const type *)r->at->self, r->at->l));        \
    for (int64_t k = 0; k < n && lar_radial_is_rows(G); k++) grad_row(r, g + k);          \
    if (lar_radial_is_rows(G)) return;                                                    \
    lar_radial_squares(G, w, g, n, s);                                                    \
    for (int64_t k = 0; k < n; k++) by[k] = push(r, g + k, s[k]);                         \
    LAR_GROUP_EACH(G, g, n, to[j] += by[k] * w[j]);                                       \
  }                                                                                       \
  static void prox_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {       \
    const lar_groups *G = r->at->groups;                                                  \
    double s[LAR_RADIAL_BLOCK];                                                           \
    real by[LAR_RADIAL_BLOCK], *to = r->to;                                               \
    if (lar_radial_short(r, g, n, LAR_RADIAL_WITHIN((const type *)r->at->self))) return;  \
    lar_radial_soft(r, g, n, LAR_RADIAL_L1((const type *)r->at->self, r->at->l));         \
    lar_radial_squares(G, to, g, n, s);                                                   \
    for (int64_t k = 0; k < n; k++) {                                                     \
      double norm = sqrt(s[k]), size = (double)lar_groups_size(G, g + k);                 \
      double left =                                                                       \
        norm == 0 ? 0 : shrink(r->at->self, lar_radial_l(r, g + k), size, norm, r->step); \
      by[k] = (real)(left == norm ? 1 : left / norm);                                     \
    }                                                                                     \
    bool same = true;                                                                     \
    for (int64_t k = 0; k < n; k++) same = same && by[k] == 1;                            \
    if (same) return;                                                                     \
    LAR_GROUP_EACH(G, g, n, to[j] = by[k] == 0 ? (real)0 : to[j] * by[k]);                \
  }                                                                                       \
  LAR_RADIAL_METRIC(type)                                                                 \
  LAR_RADIAL_BODY(value)                                                                  \
  LAR_RADIAL_BODY(grad)                                                                   \
  LAR_RADIAL_BODY(prox)                                                                   \
  LAR_RADIAL_BODY(metric)                                                                 \
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
    lar_radial_exclude(&r);                                                                   \
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
