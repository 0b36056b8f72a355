#include <string.h>

#include "optim/whole.h"

typedef struct fista {
  double tol;
} fista;

static const lar_param schema[] = {
  {"tol", offsetof(fista, tol), 1e-6, 0.0, HUGE_VAL,
   "norm of the gradient mapping at which it rests"},
  {0},
};

/* Where the gradient is taken: ahead of POINT. The rule's numbers. */
enum { AHEAD = LAR_OWN };
enum { RUNS, MOMENTUM, STEEP }; /* STEEP: the bound on the curvature, one over the step */

static int64_t rows(const void *self) { return 1; }

static void restart(const lar_whole *h) {
  h->number[MOMENTUM] = 1;
  memcpy(lar_whole_row(h, AHEAD), lar_whole_row(h, LAR_POINT), (size_t)h->n * sizeof(double));
}

static void begin(const lar_whole *h) {
  if (h->number[STEEP] == 0) h->number[STEEP] = 1 / h->lr;
  if (h->number[RUNS] != 0 && lar_whole_is_at(h, LAR_POINT)) return;
  (void)lar_whole_is_at(h, LAR_POINT); /* reads them */
  memcpy(lar_whole_row(h, LAR_POINT), lar_whole_row(h, LAR_START),
         (size_t)h->n * sizeof(double));
  restart(h);
  h->number[RUNS] = 1;
}

/* TRIAL: the proximal gradient step from AHEAD, short enough for the parabola to hold; false
 * where none is. */
static lar_status backtrack(lar_whole *h, bool *found) {
  enum { TRIES = 100 };
  double *y = lar_whole_row(h, AHEAD), *g = lar_whole_row(h, LAR_SLOPE);
  double *x = lar_whole_row(h, LAR_TRIAL), *steep = &h->number[STEEP];
  LAR_TRY(lar_whole_eval(h, y, g));
  const double value = h->value;
  *found = false;
  LAR_TRY(lar_whole_check(h));
  for (int k = 0; k < TRIES && !*found; k++) {
    double bend = 0, fall = 0;
    for (int64_t j = 0; j < h->n; j++) x[j] = y[j] - g[j] / *steep;
    LAR_TRY(lar_whole_prox(h, x, 1 / *steep));
    LAR_TRY(lar_whole_eval(h, x, NULL));
    for (int64_t j = 0; j < h->n; j++) {
      double d = x[j] - y[j];
      bend += d * d;
      fall += g[j] * d;
    }
    double most = value + fall + *steep / 2 * bend + 4 * h->noise * fabs(value);
    h->norm = *steep * sqrt(bend);
    *found = h->value <= most;
    if (!*found) *steep *= 2;
  }
  return LAR_OK;
}

/* The next point ahead; from the start again where the last step went against the way. */
static void look_ahead(const lar_whole *h) {
  double *y = lar_whole_row(h, AHEAD), *point = lar_whole_row(h, LAR_POINT);
  const double *x = lar_whole_row(h, LAR_TRIAL);
  double against = 0, t = h->number[MOMENTUM], next = (1 + sqrt(1 + 4 * t * t)) / 2;
  for (int64_t j = 0; j < h->n; j++) against += (y[j] - x[j]) * (x[j] - point[j]);
  for (int64_t j = 0; j < h->n; j++) {
    y[j] = x[j] + (t - 1) / next * (x[j] - point[j]);
    point[j] = x[j];
  }
  h->number[MOMENTUM] = next;
  if (against > 0) restart(h);
}

static lar_status iterate(lar_whole *h) {
  const double slack = 0.9; /* the curvature may be less from here on */
  bool found;
  begin(h);
  LAR_TRY(backtrack(h, &found));
  h->stalled = !found;
  h->done = found && h->norm <= ((const fista *)h->self)->tol;
  if (h->stalled) return LAR_OK;
  look_ahead(h);
  h->number[STEEP] *= slack;
  return LAR_OK;
}

LAR_ENTRY(rule, fista) = {
  .name = "fista",
  .doc = "accelerated proximal gradient on whole data, for any penalty with a prox",
  .source =
    "Beck & Teboulle 2009, SIAM J. Imaging Sci. 2(1); restart: O'Donoghue & Candes 2015, "
    "Found. Comput. Math. 15",
  .params = schema,
  .size = sizeof(fista),
  .lr = 1,
  .full_batch = true,
  .iterate = iterate,
  .rows = rows,
};
