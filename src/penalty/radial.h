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
 * In both 1/norm is concave in the unknown, so Newton's method from below rises to the root and
 * never passes it (More & Sorensen 1983, SIAM J. Sci. Stat. Comput. 4(3)). It starts at the
 * root for equal steps, the mean of the t_j weighted by v_j^2: by Jensen's inequality that is
 * never too far, and with equal t_j it is the answer.
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
enum { LAR_RADIAL_BLOCK = 128, LAR_RADIAL_WORK = 32768, LAR_RADIAL_PARTS = 256 };

typedef struct lar_radial {
  const lar_pen_at *at;
  const real *w, *metric;
  real *to;
  double step, *part;
  int64_t grain;
} lar_radial;

/* a[k] and b[k] = sums of x and y over the coordinates j of group first + k, for k < count: a
 * statement, for lists, for columns, for rows and blocks. */
#define LAR_GROUP_SUMS(G, first, count, a, x, b, y)                                           \
  if ((G)->order != NULL)                                                                     \
    for (int64_t k = 0; k < (count); k++) {                                                   \
      double sx = 0, sy = 0;                                                                  \
      for (int64_t i = (G)->start[(first) + k]; i < (G)->start[(first) + k + 1]; i++) {       \
        const int64_t j = (G)->order[i];                                                      \
        sx += (x);                                                                            \
        sy += (y);                                                                            \
      }                                                                                       \
      (a)[k] = sx;                                                                            \
      (b)[k] = sy;                                                                            \
    }                                                                                         \
  else if ((G)->inner == 1) {                                                                 \
    for (int64_t k = 0; k < (count); k++) (a)[k] = (b)[k] = 0;                                \
    for (int64_t o = 0; o < (G)->outer; o++)                                                  \
      _Pragma("GCC ivdep") for (int64_t k = 0; k < (count); k++) {                            \
        const int64_t j = o * (G)->n + (first) + k;                                           \
        (a)[k] += (x);                                                                        \
        (b)[k] += (y);                                                                        \
      }                                                                                       \
  } else                                                                                      \
    for (int64_t k = 0; k < (count); k++) {                                                   \
      double sx = 0, sy = 0;                                                                  \
      for (int64_t o = 0; o < (G)->outer; o++) {                                              \
        const int64_t at_ = (o * (G)->n + (first) + k) * (G)->inner;                          \
        _Pragma("omp simd reduction(+ : sx, sy)") for (int64_t j = at_; j < at_ + (G)->inner; \
                                                       j++) {                                 \
          sx += (x);                                                                          \
          sy += (y);                                                                          \
        }                                                                                     \
      }                                                                                       \
      (a)[k] = sx;                                                                            \
      (b)[k] = sy;                                                                            \
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

/* The sums of squares of groups begin.. of w. */
static inline void lar_radial_squares(const lar_groups *G, const real *w, int64_t begin,
                                      int64_t n, double *acc) {
  double twice[LAR_RADIAL_BLOCK]; /* not used: compilers leave it out */
  LAR_GROUP_SUMS(G, begin, n, acc, (double)w[j] * (double)w[j], twice, 0)
}

/* One block of groups in a metric: the unknown is alpha, or beta of a ball; u = kappa v /
 * (alpha + beta t). Groups that are done have target 0. */
typedef struct lar_solve {
  int64_t begin, n;
  bool ball;
  double alpha[LAR_RADIAL_BLOCK], beta[LAR_RADIAL_BLOCK], kappa[LAR_RADIAL_BLOCK];
  double target[LAR_RADIAL_BLOCK], q[LAR_RADIAL_BLOCK], d[LAR_RADIAL_BLOCK];
} lar_solve;

/* The j-th coordinate's steps, denominator and quotient. */
#define LAR_RADIAL_STEP  (t * (double)m[j])
#define LAR_RADIAL_UNDER (alpha[k] + beta[k] * LAR_RADIAL_STEP)
#define LAR_RADIAL_OVER  ((double)v[j] / LAR_RADIAL_UNDER)

/* Newton for all groups of a block at once, until a step is too small for its square to
 * matter. q = |v / (alpha + beta t)|^2, d = -1/2 its derivative in the unknown. */
static inline void lar_radial_newton(const lar_radial *r, lar_solve *s) {
  enum { ROUNDS = 60 };
  const lar_groups *G = r->at->groups;
  const real *v = r->w, *m = r->metric;
  const double t = r->step, small = sizeof(real) == 4 ? 1e-5 : 1e-9;
  const double *alpha = s->alpha, *beta = s->beta;
  int64_t left = 0;
  for (int64_t k = 0; k < s->n; k++) left += s->target[k] != 0;
  for (int round = 0; round < ROUNDS && left > 0; round++) {
    if (s->ball) {
      LAR_GROUP_SUMS(G, s->begin, s->n, s->q, LAR_RADIAL_OVER * LAR_RADIAL_OVER, s->d,
                     LAR_RADIAL_OVER * LAR_RADIAL_OVER / LAR_RADIAL_UNDER * LAR_RADIAL_STEP)
    } else {
      LAR_GROUP_SUMS(G, s->begin, s->n, s->q, LAR_RADIAL_OVER * LAR_RADIAL_OVER, s->d,
                     LAR_RADIAL_OVER * LAR_RADIAL_OVER / LAR_RADIAL_UNDER)
    }
    left = 0;
    for (int64_t k = 0; k < s->n; k++) {
      if (s->target[k] == 0) continue;
      double *x = s->ball ? &s->beta[k] : &s->alpha[k];
      double move = s->q[k] / s->d[k] * (sqrt(s->q[k]) / s->target[k] - 1);
      if (move > 0 && isfinite(*x + move)) *x += move; /* not for NaN */
      if (move > small * *x)
        left++;
      else
        s->target[k] = 0;
    }
  }
}

/* Balls: those that hold v already are left alone; the others start where a ball with the mean
 * step (weighted by v^2) would end, which is never too far. True when all hold v. */
static inline bool lar_radial_start_ball(const lar_radial *r, lar_solve *s,
                                         const lar_secular *of) {
  const real *v = r->w, *m = r->metric;
  lar_radial_squares(r->at->groups, v, s->begin, s->n, s->q);
  bool inside = true;
  for (int64_t k = 0; k < s->n; k++) inside = inside && sqrt(s->q[k]) <= of[k].target;
  if (inside) return true;
  LAR_GROUP_SUMS(r->at->groups, s->begin, s->n, s->q, (double)v[j] * (double)v[j], s->d,
                 (double)v[j] * (double)v[j] * (double)m[j])
  for (int64_t k = 0; k < s->n; k++) {
    double norm = sqrt(s->q[k]), c = of[k].target;
    bool out = norm > c;
    s->alpha[k] = 1;
    s->kappa[k] = c > 0 || norm == 0 ? 1 : 0;
    s->beta[k] = out && c > 0 ? (norm / c - 1) * s->q[k] / (s->d[k] * r->step) : 0;
    s->target[k] = out ? c : 0;
  }
  return false;
}

/* Norms: groups with |v / t| within beta go to 0; the others start where a group with the mean
 * step would end. */
static inline void lar_radial_start_norm(const lar_radial *r, lar_solve *s,
                                         const lar_secular *of) {
  const lar_groups *G = r->at->groups;
  const real *v = r->w, *m = r->metric;
  const double t = r->step;
  LAR_GROUP_SUMS(G, s->begin, s->n, s->kappa,
                 (double)v[j] / LAR_RADIAL_STEP * (double)v[j] / LAR_RADIAL_STEP, s->target, 0)
  LAR_GROUP_SUMS(G, s->begin, s->n, s->q, (double)v[j] * (double)v[j], s->d,
                 (double)v[j] * (double)v[j] * LAR_RADIAL_STEP)
  for (int64_t k = 0; k < s->n; k++) {
    double beta = of[k].beta, norm = sqrt(s->q[k]);
    bool free = !(beta > 0), gone = !free && sqrt(s->kappa[k]) <= beta;
    double start = norm - beta * s->d[k] / s->q[k];
    s->beta[k] = free ? 0 : beta;
    s->alpha[k] = free || gone ? 1 : start > 0 ? start : 0;
    s->kappa[k] = gone ? 0 : 1;
    s->target[k] = free || gone ? 0 : 1;
  }
}

/* The prox of a block of groups in the metric. */
static inline void lar_radial_metric(const lar_radial *r, const lar_secular *of, int64_t begin,
                                     int64_t n) {
  lar_solve s = {.begin = begin, .n = n, .ball = of[0].ball};
  if (!s.ball)
    lar_radial_start_norm(r, &s, of);
  else if (lar_radial_start_ball(r, &s, of))
    return;
  lar_radial_newton(r, &s);
  for (int64_t k = 0; k < n; k++)
    if (!s.ball && s.kappa[k] != 0 && s.beta[k] > 0) s.kappa[k] = s.alpha[k];
  const real *v = r->w, *m = r->metric;
  real *to = r->to;
  const double t = r->step, *alpha = s.alpha, *beta = s.beta;
  LAR_GROUP_EACH(r->at->groups, begin, n,
                 to[j] = s.kappa[k] == 0 ? (real)0
                                         : (real)((double)v[j] * s.kappa[k] / LAR_RADIAL_UNDER))
}

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

#define LAR_RADIAL_LOOPS(type)                                                              \
  static void value_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {        \
    double s[LAR_RADIAL_BLOCK];                                                             \
    if (lar_radial_short(r, g, n, LAR_RADIAL_WITHIN((const type *)r->at->self))) return;    \
    lar_radial_squares(r->at->groups, r->w, g, n, s);                                       \
    r->part[part] +=                                                                        \
      lar_radial_sizes(r, g, n, LAR_RADIAL_L1((const type *)r->at->self, r->at->l));        \
    for (int64_t k = 0; k < n; k++)                                                         \
      r->part[part] += lar_radial_out(r, g + k, s[k]) +                                     \
                       value(r->at->self, lar_radial_l(r, g + k),                           \
                             (double)lar_groups_size(r->at->groups, g + k), sqrt(s[k]));    \
  }                                                                                         \
  static void grad_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {         \
    const lar_groups *G = r->at->groups;                                                    \
    double s[LAR_RADIAL_BLOCK];                                                             \
    const real *w = r->w;                                                                   \
    real *to = r->to;                                                                       \
    lar_radial_squares(G, w, g, n, s);                                                      \
    lar_radial_signs(r, g, n, LAR_RADIAL_L1((const type *)r->at->self, r->at->l));          \
    for (int64_t k = 0; k < n; k++) {                                                       \
      double norm = sqrt(s[k]), size = (double)lar_groups_size(G, g + k);                   \
      s[k] = norm == 0 ? 0 : slope(r->at->self, lar_radial_l(r, g + k), size, norm) / norm; \
    }                                                                                       \
    LAR_GROUP_EACH(G, g, n, to[j] += (real)s[k] * w[j]);                                    \
  }                                                                                         \
  static void prox_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) {         \
    const lar_groups *G = r->at->groups;                                                    \
    double s[LAR_RADIAL_BLOCK];                                                             \
    real *to = r->to;                                                                       \
    if (lar_radial_short(r, g, n, LAR_RADIAL_WITHIN((const type *)r->at->self))) return;    \
    lar_radial_soft(r, g, n, LAR_RADIAL_L1((const type *)r->at->self, r->at->l));           \
    lar_radial_squares(G, to, g, n, s);                                                     \
    for (int64_t k = 0; k < n; k++) {                                                       \
      double norm = sqrt(s[k]), size = (double)lar_groups_size(G, g + k);                   \
      double left =                                                                         \
        norm == 0 ? 0 : shrink(r->at->self, lar_radial_l(r, g + k), size, norm, r->step);   \
      s[k] = left == norm ? 1 : left / norm;                                                \
    }                                                                                       \
    bool same = true;                                                                       \
    for (int64_t k = 0; k < n; k++) same = same && s[k] == 1;                               \
    if (same) return;                                                                       \
    LAR_GROUP_EACH(G, g, n, to[j] = s[k] == 0 ? (real)0 : to[j] * (real)s[k]);              \
  }                                                                                         \
  LAR_RADIAL_METRIC(type)                                                                   \
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
