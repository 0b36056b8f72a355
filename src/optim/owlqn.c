#include <string.h>

#include "optim/pairs.h"

typedef struct owlqn {
  double history, tol;
} owlqn;

static const lar_param schema[] = {
  {"history", offsetof(owlqn, history), 10, 1, LAR_PAIRS_MOST, "pairs kept", LAR_INTEGER},
  {"tol", offsetof(owlqn, tol), 1e-6, 0.0, HUGE_VAL,
   "norm of the generalised gradient at which it rests"},
  {0},
};

/* The strengths a and b of a|w| + b/2 w^2 for each number; the generalised gradient; the
 * direction. */
enum { KINK = LAR_OWN, BEND, PSEUDO, DIRECTION, PAIRS };

static lar_pairs pairs_of(const void *self) {
  return (lar_pairs){PAIRS, (int)((const owlqn *)self)->history};
}

static int64_t rows(const void *self) {
  return PAIRS - LAR_OWN + 2 * (int64_t)((const owlqn *)self)->history;
}

static void read_kinks(const lar_whole *h) {
  double *a = lar_whole_row(h, KINK), *b = lar_whole_row(h, BEND);
  memset(a, 0, 2 * (size_t)h->n * sizeof *a);
  for (int i = 0; i < h->o->params.n; i++) {
    const lar_var *v = h->o->params.at[i].var;
    if (!v->requires_grad) continue;
    if (h->o->bound != NULL) lar_bound_kinks(h->o->bound, i, a, b);
    a += lar_tensor_numel(&v->t);
    b += lar_tensor_numel(&v->t);
  }
}

/* The penalty at x. */
static double kinks(const lar_whole *h, const double *x) {
  const double *a = lar_whole_row(h, KINK), *b = lar_whole_row(h, BEND);
  double sum = 0;
  for (int64_t j = 0; j < h->n; j++) sum += a[j] * fabs(x[j]) + b[j] / 2 * x[j] * x[j];
  return sum;
}

/* The shortest of the subgradients. */
static void pseudo_gradient(const lar_whole *h) {
  const double *a = lar_whole_row(h, KINK), *b = lar_whole_row(h, BEND);
  const double *x = lar_whole_row(h, LAR_POINT), *g = lar_whole_row(h, LAR_SLOPE);
  double *to = lar_whole_row(h, PSEUDO);
  for (int64_t j = 0; j < h->n; j++) {
    double slope = g[j] + b[j] * x[j], left = fabs(slope) - a[j];
    if (x[j] != 0)
      to[j] = slope + copysign(a[j], x[j]);
    else
      to[j] = left > 0 ? copysign(left, slope) : isnan(slope) ? slope : 0;
  }
}

/* Downhill in every number: what the pairs say where that agrees with the gradient. */
static void find_direction(const lar_whole *h, const lar_pairs *p) {
  const double *g = lar_whole_row(h, PSEUDO);
  double *d = lar_whole_row(h, DIRECTION);
  lar_pairs_direction(h, p, g, d);
  for (int64_t j = 0; j < h->n; j++)
    if (d[j] * g[j] >= 0) d[j] = 0;
  if (lar_whole_dot(h->n, d, g) < 0) return;
  lar_pairs_forget(h);
  for (int64_t j = 0; j < h->n; j++) d[j] = -g[j];
}

/* TRIAL: a step that stops at 0 where it would change the sign. */
static void go(const lar_whole *h, double t) {
  const double *x = lar_whole_row(h, LAR_POINT), *g = lar_whole_row(h, PSEUDO);
  const double *d = lar_whole_row(h, DIRECTION);
  double *to = lar_whole_row(h, LAR_TRIAL);
  for (int64_t j = 0; j < h->n; j++) {
    double side = x[j] != 0 ? x[j] : -g[j], v = x[j] + t * d[j];
    to[j] = v * side > 0 ? v : 0;
  }
}

/* By halves, until the objective falls enough; *t = 0: it does not. */
static lar_status search(lar_whole *h, double first, double *t) {
  enum { TRIES = 50 };
  const double enough = 1e-4, value = h->value;
  double *x = lar_whole_row(h, LAR_TRIAL), *point = lar_whole_row(h, LAR_POINT);
  const double *g = lar_whole_row(h, PSEUDO);
  const double from = value + kinks(h, point);
  *t = first;
  for (int k = 0; k < TRIES; k++, *t /= 2) {
    go(h, *t);
    LAR_TRY(lar_whole_eval(h, x, lar_whole_row(h, LAR_TRIAL_SLOPE)));
    double gain = 0, now = h->value + kinks(h, x);
    for (int64_t j = 0; j < h->n; j++) gain += g[j] * (x[j] - point[j]);
    if (gain < 0 && now <= from + enough * gain) return LAR_OK;
  }
  *t = 0;
  h->value = value;
  lar_whole_put(h, point);
  return LAR_OK;
}

static lar_status descend(lar_whole *h, const lar_pairs *p, double *t) {
  find_direction(h, p);
  return search(h, lar_pairs_count(h) > 0 ? h->lr : h->lr * fmin(1, 1 / h->norm), t);
}

static lar_status iterate(lar_whole *h) {
  const owlqn *self = h->self;
  const lar_pairs p = pairs_of(self);
  LAR_TRY(lar_whole_begin(h));
  read_kinks(h);
  pseudo_gradient(h);
  h->norm = lar_whole_norm(h->n, lar_whole_row(h, PSEUDO));
  return lar_pairs_iterate(h, &p, descend, self->tol, lar_whole_row(h, BEND));
}

LAR_ENTRY(rule, owlqn) = {
  .name = "owlqn",
  .doc = "lbfgs for objectives with l1 terms: steps that stay in an orthant, exact zeros",
  .source = "Andrew & Gao 2007, ICML",
  .params = schema,
  .size = sizeof(owlqn),
  .lr = 1,
  .full_batch = true,
  .iterate = iterate,
  .rows = rows,
  .takes = lar_whole_takes_kinks,
};
