#include "solver/scalar.h"

#include <math.h>

#include "core/mem.h"
#include "kern/copy.h"

/* ---- what it is made of ---- */

static lar_status strength(const lar_addend *a, double *out) {
  *out = a->term->lambda;
  if (a->term->lambda_fn != NULL) LAR_TRY(a->term->lambda_fn(a->term->lambda_ctx, NULL, out));
  *out *= a->scale;
  return LAR_OK;
}

lar_status lar_scalar_fits(const lar_problem *g, const char *who) {
  const lar_term *other = NULL;
  for (int k = 0; g->penalty != NULL && k < g->penalty->n; k++) {
    const lar_term *t = g->penalty->at[k].term;
    if (t->type == NULL || (t->type->traits & LAR_SEPARABLE) == 0)
      return lar_fail(LAR_EARG, "solver '%s' needs a separable penalty; %s is %s", who, t->name,
                      t->type == NULL ? "written in Lua" : "coupled");
    if (t->weights != NULL && lar_tensor_numel(&t->weights->t) != g->x->p)
      return lar_fail(LAR_ESHAPE, "%s has %lld weights for %lld coefficients", t->name,
                      (long long)lar_tensor_numel(&t->weights->t), (long long)g->x->p);
    if (t->type->simple != NULL) continue;
    if (other != NULL)
      return lar_fail(LAR_EARG,
                      "solver '%s' takes one penalty besides l1, l2 and bounds; %s and %s are "
                      "two",
                      who, other->name, t->name);
    other = t;
  }
  return LAR_OK;
}

static lar_status array(double **out, int64_t n, double fill) {
  void *v;
  if (*out != NULL) return LAR_OK;
  LAR_TRY(lar_alloc_raw(&v, (size_t)n + 1, sizeof(double)));
  *out = v;
  for (int64_t j = 0; j < n; j++) (*out)[j] = fill;
  return LAR_OK;
}

static lar_status add_bounds(lar_scalar *s, double lo, double hi) {
  if (lo == -HUGE_VAL && hi == HUGE_VAL) return LAR_OK;
  LAR_TRY(array(&s->lo, s->p, -HUGE_VAL));
  LAR_TRY(array(&s->hi, s->p, HUGE_VAL));
  for (int64_t j = 0; j < s->p; j++) {
    s->lo[j] = fmax(s->lo[j], lo);
    s->hi[j] = fmin(s->hi[j], hi);
  }
  return LAR_OK;
}

/* to += k * weight * factor; what is infinite in either holds the coefficient. */
static void add_strength(lar_scalar *s, double *to, double k, const double *weight,
                         const double *factor) {
  for (int64_t j = 0; j < s->p; j++) {
    double f = (weight != NULL ? weight[j] : 1) * (factor != NULL ? factor[j] : 1);
    if (isfinite(f))
      to[j] += k * f;
    else
      s->a[j] = HUGE_VAL;
  }
}

static lar_status add(lar_scalar *s, const lar_addend *a, const double *factor) {
  const lar_term *t = a->term;
  const double *weight = t->weights != NULL ? lar_tensor_data(&t->weights->t) : NULL;
  double k;
  LAR_TRY(strength(a, &k));
  if ((t->type->traits & LAR_CONVEX) == 0) s->convex = false;
  if (t->type->simple != NULL) {
    lar_simple of = {.lo = -HUGE_VAL, .hi = HUGE_VAL};
    t->type->simple(t->self, k, &of);
    if (of.a > 0) add_strength(s, s->a, of.a, weight, factor);
    if (of.b > 0) {
      LAR_TRY(array(&s->b, s->p, 0));
      add_strength(s, s->b, of.b, weight, factor);
    }
    return add_bounds(s, of.lo, of.hi);
  }
  s->other = t->type;
  s->self = t->self;
  LAR_TRY(array(&s->c, s->p, 0));
  add_strength(s, s->c, k, weight, factor);
  return LAR_OK;
}

static lar_status add_limits(lar_scalar *s, const double *lower, const double *upper) {
  if (lower != NULL) LAR_TRY(array(&s->lo, s->p, -HUGE_VAL));
  if (upper != NULL) LAR_TRY(array(&s->hi, s->p, HUGE_VAL));
  if (s->lo != NULL) LAR_TRY(array(&s->hi, s->p, HUGE_VAL));
  if (s->hi != NULL) LAR_TRY(array(&s->lo, s->p, -HUGE_VAL));
  for (int64_t j = 0; s->lo != NULL && j < s->p; j++) {
    if (lower != NULL) s->lo[j] = fmax(s->lo[j], lower[j]);
    if (upper != NULL) s->hi[j] = fmin(s->hi[j], upper[j]);
    if (!(s->lo[j] <= s->hi[j]))
      return lar_fail(LAR_EARG, "column %lld has no room: its lower bound %g is above %g",
                      (long long)j + 1, s->lo[j], s->hi[j]);
  }
  return LAR_OK;
}

lar_status lar_scalar_open(lar_scalar *out, const lar_problem *g) {
  lar_status st = LAR_OK;
  *out = (lar_scalar){.p = g->x->p, .convex = true};
  LAR_GO(array(&out->a, out->p, 0));
  for (int k = 0; g->penalty != NULL && k < g->penalty->n; k++)
    LAR_GO(add(out, &g->penalty->at[k], g->factor));
  for (int64_t j = 0; g->factor != NULL && j < out->p; j++)
    if (g->factor[j] == HUGE_VAL) out->a[j] = HUGE_VAL;
  LAR_GO(add_limits(out, g->lower, g->upper));
  for (int64_t j = 0; out->lo != NULL && j < out->p; j++)
    if (lar_scalar_held(out, j) && !(out->lo[j] <= 0 && out->hi[j] >= 0))
      LAR_GO(lar_fail(LAR_EARG, "column %lld is excluded, but its bounds exclude 0",
                      (long long)j + 1));
done:
  if (st != LAR_OK) lar_scalar_close(out);
  return st;
}

void lar_scalar_close(lar_scalar *s) {
  lar_free(s->a);
  lar_free(s->b);
  lar_free(s->c);
  lar_free(s->lo);
  lar_free(s->hi);
  *s = (lar_scalar){0};
}

/* ---- maths ---- */

static inline double strength_a(const lar_scalar *s, int64_t j) {
  return s->a[j] == 0 ? 0 : s->lambda * s->a[j];
}
static inline double strength_b(const lar_scalar *s, int64_t j) {
  return s->b != NULL ? s->lambda * s->b[j] : 0;
}
static inline double strength_c(const lar_scalar *s, int64_t j) {
  if ((s->other->traits & LAR_CONSTRAINT) != 0) return 1;
  return s->lambda * s->c[j];
}

static double clip(const lar_scalar *s, int64_t j, double u) {
  if (s->lo == NULL) return u;
  return u < s->lo[j] ? s->lo[j] : u > s->hi[j] ? s->hi[j] : u;
}

/* Without bounds; w is allowed. */
static double smooth_value(const lar_scalar *s, int64_t j, double w) {
  if (w == 0) return s->other == NULL ? 0 : s->other->value1(s->self, strength_c(s, j), 0);
  double v = strength_a(s, j) * fabs(w) + strength_b(s, j) * w * w / 2;
  return s->other == NULL ? v : v + s->other->value1(s->self, strength_c(s, j), w);
}

double lar_scalar_value(const lar_scalar *s, int64_t j, double w) {
  if (s->lo != NULL && (w < s->lo[j] || w > s->hi[j])) return HUGE_VAL;
  return smooth_value(s, j, w);
}

/* The best of u clipped, the bounds, and 0. */
static double best(const lar_scalar *s, int64_t j, double v, double t, double u) {
  double at[4] = {clip(s, j, u), s->lo[j], s->hi[j], clip(s, j, 0)};
  double least = HUGE_VAL, pick = at[0];
  for (int k = 0; k < 4; k++) {
    if (!isfinite(at[k])) continue;
    double value = (at[k] - v) * (at[k] - v) / (2 * t) + smooth_value(s, j, at[k]);
    if (value < least) {
      least = value;
      pick = at[k];
    }
  }
  return pick;
}

/* An even penalty keeps the sign: a|w| moves v, b shortens the step. */
double lar_scalar_prox(const lar_scalar *s, int64_t j, double v, double t) {
  double b = strength_b(s, j), u = lar_soft(v, t * strength_a(s, j)) / (1 + t * b);
  if (s->other == NULL) return clip(s, j, u);
  if (lar_scalar_held(s, j)) return 0;
  u = s->other->prox1(s->self, strength_c(s, j), u, t / (1 + t * b));
  if (s->lo == NULL || s->convex) return clip(s, j, u);
  return u == clip(s, j, u) ? u : best(s, j, v, t, u);
}

/* A bound's normal cone takes away what points outwards. */
double lar_scalar_distance(const lar_scalar *s, int64_t j, double w, double g) {
  if (lar_scalar_held(s, j)) return 0;
  double a = strength_a(s, j), slope = g + strength_b(s, j) * w;
  double pull = w == 0 ? lar_soft(slope, a) : slope + copysign(a, w);
  double d = fabs(pull);
  if (s->other != NULL) d = s->other->subdist1(s->self, strength_c(s, j), w, pull);
  if (s->lo == NULL || d == 0 || (w > s->lo[j] && w < s->hi[j])) return d;
  double most = slope + (w < 0 ? -a : a), least = slope + (w > 0 ? a : -a);
  if (s->other != NULL) {
    double kink = w == 0 ? fabs(pull) - d : 0,
           turn = s->other->grad1(s->self, strength_c(s, j), w);
    most += turn + kink;
    least += turn - kink;
  }
  if (w == s->lo[j] && w == s->hi[j]) return 0;
  return (w == s->lo[j] && most >= 0) || (w == s->hi[j] && least <= 0) ? 0 : d;
}

double lar_scalar_conjugate(const lar_scalar *s, int64_t j, double v, double at) {
  double a = strength_a(s, j), b = strength_b(s, j), far = 2 * fabs(at);
  if (lar_scalar_held(s, j)) return 0;
  double lo = s->lo != NULL ? s->lo[j] : -HUGE_VAL, hi = s->hi != NULL ? s->hi[j] : HUGE_VAL;
  if (b == 0 && !lar_scalar_free(s, j) && fabs(v) <= a && lo <= 0 && hi >= 0) return 0;
  /* w that is best: along the slope as far as b or the bounds allow */
  double pull = lar_soft(v, a), w = b > 0 ? pull / b : pull == 0 ? 0 : copysign(far, pull);
  bool ends = pull > 0 ? hi < HUGE_VAL : lo > -HUGE_VAL;
  if (b == 0 && pull != 0 && ends) w = pull > 0 ? hi : lo;
  if (b == 0 && pull != 0 && !ends && !lar_scalar_free(s, j) &&
      fabs(pull) > 1e-9 * (a + fabs(v)))
    return HUGE_VAL;
  w = w < lo ? lo : w > hi ? hi : w;
  return v * w - a * fabs(w) - b * w * w / 2;
}

/* ---- the least lambda that keeps 0 ---- */

/* What has no corner at 0 gets the strength at which 1/1000 of it as l1 would do. */
static double without_corner(const lar_scalar *s, int64_t j, double g) {
  double each = (s->b != NULL ? s->b[j] : 0) + (s->c != NULL ? s->c[j] : 0);
  return each > 0 ? fabs(g) / (0.001 * each) : 0;
}

static bool stays(const lar_scalar *s, int64_t j, double g, double c, double lambda) {
  lar_scalar at = *s;
  at.lambda = lambda;
  return lar_scalar_prox(&at, j, -g / c, 1 / c) == 0;
}

/* Bisection for penalties without a closed form: those that bend, and jumps that come before
 * the slope at 0 is reached. */
static double by_bisection(const lar_scalar *s, int64_t j, double g, double c, double from) {
  double lo = 0, hi = from > 0 ? from : fabs(g);
  for (int k = 0; k < 60 && !stays(s, j, g, c, hi); k++) {
    lo = hi;
    hi *= 2;
  }
  if (lo == 0 && from > 0) return from;
  for (int k = 0; k < 60 && hi - lo > 1e-15 * hi; k++) {
    double mid = (lo + hi) / 2;
    if (stays(s, j, g, c, mid))
      hi = mid;
    else
      lo = mid;
  }
  return hi;
}

double lar_scalar_max(const lar_scalar *s, int64_t j, double g, double c) {
  if (lar_scalar_held(s, j) || lar_scalar_free(s, j) || g == 0 || !(c > 0)) return 0;
  if (s->other == NULL) return s->a[j] > 0 ? fabs(g) / s->a[j] : without_corner(s, j, g);
  if ((s->other->traits & LAR_SMOOTH) != 0)
    return s->a[j] > 0 ? fabs(g) / s->a[j] : without_corner(s, j, g);
  double corner = 0;
  if (s->other->at_max1 != NULL) {
    double alone = s->other->at_max1(s->self, g);
    corner = s->c[j] > 0 && alone > 0 ? fabs(g) / alone * s->c[j] : 0;
  }
  double slope = s->a[j] + corner;
  return by_bisection(s, j, g, c, slope > 0 ? fabs(g) / slope : 0);
}
