#include <string.h>

#include "optim/whole.h"

typedef struct svrg {
  double tol;
} svrg;

static const lar_param schema[] = {
  {"tol", offsetof(svrg, tol), 1e-6, 0.0, HUGE_VAL,
   "norm of the gradient mapping at which it rests"},
  {0},
};

/* Where it is; a part's gradient there, and at POINT. */
enum { HERE = LAR_OWN, SLOPE_HERE, SLOPE_THERE };

static int64_t rows(const void *self) { return 3; }

/* The norm of the gradient mapping at POINT. */
static lar_status measure(lar_whole *h) {
  const double *point = lar_whole_row(h, LAR_POINT), *g = lar_whole_row(h, LAR_SLOPE);
  double *x = lar_whole_row(h, HERE), sum = 0;
  for (int64_t j = 0; j < h->n; j++) x[j] = point[j] - h->lr * g[j];
  LAR_TRY(lar_whole_prox(h, x, h->lr));
  for (int64_t j = 0; j < h->n; j++) sum += (point[j] - x[j]) * (point[j] - x[j]);
  h->norm = sqrt(sum) / h->lr;
  return LAR_OK;
}

/* One part's step: its gradient, less what it was at POINT, plus the whole one there. */
static lar_status step(lar_whole *h, int64_t part) {
  double *x = lar_whole_row(h, HERE), *here = lar_whole_row(h, SLOPE_HERE);
  double *there = lar_whole_row(h, SLOPE_THERE), *point = lar_whole_row(h, LAR_POINT);
  const double *whole = lar_whole_row(h, LAR_SLOPE);
  LAR_TRY(lar_whole_part(h, point, part, there));
  LAR_TRY(lar_whole_smooth(h, 1, there));
  LAR_TRY(lar_whole_part(h, x, part, here));
  LAR_TRY(lar_whole_smooth(h, 1, here));
  for (int64_t j = 0; j < h->n; j++) x[j] -= h->lr * (here[j] - there[j] + whole[j]);
  return lar_whole_prox(h, x, h->lr);
}

static lar_status iterate(lar_whole *h) {
  double *x = lar_whole_row(h, HERE), *point = lar_whole_row(h, LAR_POINT);
  LAR_TRY(lar_whole_begin(h));
  LAR_TRY(measure(h));
  h->done = h->norm <= ((const svrg *)h->self)->tol;
  if (h->done) {
    lar_whole_put(h, point);
    return LAR_OK;
  }
  memcpy(x, point, (size_t)h->n * sizeof *x);
  for (int64_t part = 0; part < h->task->parts; part++) LAR_TRY(step(h, part));
  memcpy(point, x, (size_t)h->n * sizeof *x);
  return lar_whole_eval(h, point, lar_whole_row(h, LAR_SLOPE));
}

LAR_ENTRY(rule, svrg) = {
  .name = "svrg",
  .doc = "proximal steps on parts of the data whose noise the whole gradient takes away",
  .source = "Johnson & Zhang 2013, NIPS; Xiao & Zhang 2014, SIAM J. Optim. 24(4)",
  .params = schema,
  .size = sizeof(svrg),
  .lr = 0.1,
  .iterate = iterate,
  .rows = rows,
  .shuffles = true,
};
