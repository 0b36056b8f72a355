/*
 * penalty/concave - norms of groups under a rising concave function, in a diagonal metric.
 *
 * Include in place of penalty/radial.h, with the same functions but `secular`, and
 *   static inline double concavity(const type *p)   the most that the slope falls per unit
 *
 * The least over u of sum (u_j - v_j)^2 / (2 t_j) + phi(|u|) is at u_j = v_j / (1 + c t_j) for
 * a c in [0, infinity], along which the first part rises and the norm r(c) falls. Inside,
 * phi'(r(c)) = c r(c); both sides rise with c, so that their values at the ends of an interval
 * bound their difference on it. Where phi falls off slowly enough (concavity below 1 / t_j)
 * there is one root, found by bracketing; otherwise intervals that hold no root, or no better
 * one, are dropped and the others halved, until all local minima are known.
 */
#ifndef LAR_PENALTY_CONCAVE_H
#define LAR_PENALTY_CONCAVE_H

#define LAR_RADIAL_METRIC(type)                                                       \
  static double phi(const void *p, double l, double size, double r) {                 \
    return value(p, l, size, r);                                                      \
  }                                                                                   \
  static double phi_slope(const void *p, double l, double size, double r) {           \
    return slope(p, l, size, r);                                                      \
  }                                                                                   \
  static void metric_block(const lar_radial *r, int64_t g, int64_t n, int64_t part) { \
    const lar_concave f = {phi, phi_slope, concavity(r->at->self)};                   \
    for (int64_t k = 0; k < n; k++)                                                   \
      lar_concave_group(r, &f, g + k, (double)lar_groups_size(r->at->groups, g + k)); \
  }

#include "penalty/radial.h"

typedef struct lar_concave {
  double (*phi)(const void *p, double l, double size, double r);
  double (*slope)(const void *p, double l, double size, double r);
  double concavity;
} lar_concave;

/* One group's problem, and the best point so far. */
typedef struct lar_concave_job {
  const lar_radial *r;
  const lar_concave *f;
  int64_t g;
  double size, best, c;
  int left; /* evaluations */
} lar_concave_job;

/* At c = exp(x): rising forces pull = phi'(r) and push = c r, and both parts of the sum. */
typedef struct lar_concave_at {
  double x, pull, push, far, phi;
} lar_concave_at;

static inline lar_concave_at lar_concave_eval(lar_concave_job *job, double x) {
  const lar_radial *r = job->r;
  const lar_groups *G = r->at->groups;
  const real *v = r->w, *m = r->metric;
  const double c = exp(x), step = r->step, l = lar_radial_l(r, job->g);
  const int64_t n = 1;
  double rr = 0, far = 0;
  LAR_GROUP_EACH(G, job->g, n, {
    double t = step * (double)m[j];
    double u = (double)v[j] / (1 + c * t);
    rr += u * u;
    far += u * u * t;
  });
  double norm = sqrt(rr);
  job->left--;
  return (lar_concave_at){.x = x,
                          .pull = job->f->slope(r->at->self, l, job->size, norm),
                          .push = c * norm,
                          .far = far * c * c / 2,
                          .phi = job->f->phi(r->at->self, l, job->size, norm)};
}

/* A tie goes to the later one, which is the smaller. */
static inline void lar_concave_try(lar_concave_job *job, double value, double c) {
  double slack = 1e-14 * fabs(job->best);
  if (value > job->best + slack || (value > job->best - slack && c < job->c)) return;
  job->best = value;
  job->c = c;
}

static inline void lar_concave_bracket(lar_concave_job *job, lar_concave_at a,
                                       lar_concave_at b) {
  double fa = a.pull - a.push, fb = b.pull - b.push;
  for (int k = 0; k < 200 && b.x - a.x > 4e-16 * fmax(fabs(a.x), 1) && fa != fb; k++) {
    double x = k % 3 == 2 ? (a.x + b.x) / 2 : a.x + (b.x - a.x) * (fa / (fa - fb));
    if (!(x > a.x && x < b.x)) x = (a.x + b.x) / 2;
    lar_concave_at mid = lar_concave_eval(job, x);
    double f = mid.pull - mid.push;
    if (f > 0)
      a = mid, fa = f, fb = k % 3 == 0 ? fb / 2 : fb;
    else
      b = mid, fb = f, fa = k % 3 == 0 ? fa / 2 : fa;
  }
  lar_concave_try(job, b.far + b.phi, exp(b.x));
}

/* Stacks halve at most the number of a double's bits deep. */
static inline void lar_concave_search(lar_concave_job *job, lar_concave_at a,
                                      lar_concave_at b) {
  struct {
    lar_concave_at a, b;
  } stack[80];
  int n = 0;
  stack[n].a = a, stack[n++].b = b;
  while (n > 0) {
    a = stack[--n].a, b = stack[n].b;
    if (b.pull < a.push || a.pull > b.push) continue;                  /* no root */
    if (a.far + b.phi > job->best + 1e-14 * fabs(job->best)) continue; /* none better */
    if (b.x - a.x < 4e-16 * fmax(fabs(a.x), 1) || n > 76 || job->left < 0) {
      lar_concave_try(job, b.far + b.phi, exp(b.x));
      continue;
    }
    lar_concave_at mid = lar_concave_eval(job, (a.x + b.x) / 2);
    lar_concave_try(job, mid.far + mid.phi, exp(mid.x));
    stack[n].a = mid, stack[n++].b = b;
    stack[n].a = a, stack[n++].b = mid;
  }
}

static inline void lar_concave_put(const lar_radial *r, int64_t g, double c) {
  const real *v = r->w, *m = r->metric;
  real *to = r->to;
  const double step = r->step;
  const int64_t n = 1;
  LAR_GROUP_EACH(r->at->groups, g, n,
                 to[j] = c == HUGE_VAL ? (real)0
                                       : (real)((double)v[j] / (1 + c * step * (double)m[j])));
}

static inline void lar_concave_group(const lar_radial *r, const lar_concave *f, int64_t g,
                                     double size) {
  const real *v = r->w, *m = r->metric;
  const void *self = r->at->self;
  const double l = lar_radial_l(r, g);
  const int64_t n = 1;
  double rr = 0, far = 0, low = HUGE_VAL, high = 0, kick = 0;
  LAR_GROUP_EACH(r->at->groups, g, n, {
    double x = (double)v[j];
    double t = r->step * (double)m[j];
    rr += x * x;
    far += x * x / (2 * t);
    kick += x * x / (t * t);
    low = t < low ? t : low;
    high = t > high ? t : high;
  });
  double norm = sqrt(rr), edge = f->slope(self, l, size, norm);
  if (!(norm > 0) || !isfinite(norm) || !(l > 0)) return;
  lar_concave_job job = {.r = r, .f = f, .g = g, .size = size, .left = 4000};
  bool convex = high * f->concavity < 1;
  job.best = f->phi(self, l, size, norm); /* c = 0 */
  lar_concave_try(&job, far + f->phi(self, l, size, 0), HUGE_VAL);
  if (convex && edge == 0)
    job.c = 0;
  else if (convex && sqrt(kick) <= f->slope(self, l, size, 0))
    job.c = HUGE_VAL;
  else {
    lar_concave_at a = lar_concave_eval(&job, log(1e-20 / high));
    lar_concave_at b = lar_concave_eval(&job, log(1e20 / low));
    (convex ? lar_concave_bracket : lar_concave_search)(&job, a, b);
  }
  lar_concave_put(r, g, job.c);
}

#endif
