#include "optim/pairs.h"

typedef struct lbfgs {
  double history, tol;
} lbfgs;

static const lar_param schema[] = {
  {"history", offsetof(lbfgs, history), 10, 1, LAR_PAIRS_MOST, "pairs kept", LAR_INTEGER},
  {"tol", offsetof(lbfgs, tol), 1e-6, 0.0, HUGE_VAL, "norm of the gradient at which it rests"},
  {0},
};

static lar_pairs pairs_of(const void *self) {
  return (lar_pairs){LAR_OWN + 1, (int)((const lbfgs *)self)->history};
}

static int64_t rows(const void *self) {
  return 1 + 2 * (int64_t)((const lbfgs *)self)->history;
}

/* Downhill, along what the pairs say, or else the gradient. */
static lar_status descend(lar_whole *h, const lar_pairs *p, double *t) {
  double *d = lar_whole_row(h, LAR_OWN);
  const double *g = lar_whole_row(h, LAR_SLOPE);
  lar_pairs_direction(h, p, g, d);
  double slope = lar_whole_dot(h->n, g, d);
  if (!(slope < 0)) {
    lar_pairs_forget(h);
    for (int64_t j = 0; j < h->n; j++) d[j] = -g[j];
    slope = -h->norm * h->norm;
  }
  double first = lar_pairs_count(h) > 0 ? h->lr : h->lr * fmin(1, 1 / h->norm);
  return lar_whole_search(h, d, slope, first, t);
}

static lar_status iterate(lar_whole *h) {
  const lbfgs *self = h->self;
  const lar_pairs p = pairs_of(self);
  LAR_TRY(lar_whole_begin(h));
  h->norm = lar_whole_norm(h->n, lar_whole_row(h, LAR_SLOPE));
  return lar_pairs_iterate(h, &p, descend, self->tol, NULL);
}

LAR_ENTRY(rule, lbfgs) = {
  .name = "lbfgs",
  .doc = "quasi-Newton steps from the last gradients, for smooth objectives on whole data",
  .source = "Liu & Nocedal 1989, Math. Program. 45; line search: Nocedal & Wright 2006",
  .params = schema,
  .size = sizeof(lbfgs),
  .lr = 1,
  .full_batch = true,
  .iterate = iterate,
  .rows = rows,
  .takes = lar_whole_takes_smooth,
};
