#include <string.h>

#include "optim/whole.h"

typedef struct newton {
  double rounds, tol;
} newton;

static const lar_param schema[] = {
  {"rounds", offsetof(newton, rounds), 50, 1, 100000, "products with the Hessian at most",
   LAR_INTEGER},
  {"tol", offsetof(newton, tol), 1e-6, 0.0, HUGE_VAL, "norm of the gradient at which it rests"},
  {0},
};

enum { DIRECTION = LAR_OWN, RESIDUAL, SEARCH, CURVE };

static int64_t rows(const void *self) { return 4; }

/* Conjugate gradients on H d = -g, as far as the gradient deserves: to a residual of
 * min(1/2, sqrt |g|) |g|, or to a direction without positive curvature. */
static lar_status solve(lar_whole *h) {
  const int64_t n = h->n;
  const double *g = lar_whole_row(h, LAR_SLOPE);
  double *d = lar_whole_row(h, DIRECTION), *r = lar_whole_row(h, RESIDUAL);
  double *p = lar_whole_row(h, SEARCH), *q = lar_whole_row(h, CURVE);
  double square = h->norm * h->norm, goal = fmin(0.5, sqrt(h->norm)) * h->norm;
  for (int64_t j = 0; j < n; j++) {
    d[j] = 0;
    r[j] = g[j];
    p[j] = -g[j];
  }
  for (int k = 0; k < (int)((const newton *)h->self)->rounds; k++) {
    LAR_TRY(lar_whole_curve(h, p, q));
    double bend = lar_whole_dot(n, p, q), size = lar_whole_dot(n, p, p);
    if (!(bend > h->noise * size)) {
      if (k == 0) memcpy(d, p, (size_t)n * sizeof *d);
      return LAR_OK;
    }
    double alpha = square / bend, former = square;
    lar_whole_add(n, alpha, p, d);
    lar_whole_add(n, alpha, q, r);
    square = lar_whole_dot(n, r, r);
    if (!(sqrt(square) > goal)) return LAR_OK;
    for (int64_t j = 0; j < n; j++) p[j] = square / former * p[j] - r[j];
  }
  return LAR_OK;
}

static lar_status iterate(lar_whole *h) {
  double *d = lar_whole_row(h, DIRECTION), t = 0;
  LAR_TRY(lar_whole_begin(h));
  const double *g = lar_whole_row(h, LAR_SLOPE), value = h->value;
  h->norm = lar_whole_norm(h->n, g);
  h->done = h->norm <= ((const newton *)h->self)->tol;
  if (h->done) return LAR_OK;
  LAR_TRY(solve(h));
  h->value = value;
  LAR_TRY(lar_whole_search(h, d, lar_whole_dot(h->n, g, d), h->lr, &t));
  h->stalled = t == 0;
  if (!h->stalled) lar_whole_accept(h);
  return LAR_OK;
}

LAR_ENTRY(rule, newton_cg) = {
  .name = "newton_cg",
  .doc = "Newton steps by conjugate gradients on products with the Hessian, on whole data",
  .source = "Dembo & Steihaug 1983, Math. Program. 26; Nocedal & Wright 2006, algorithm 7.1",
  .params = schema,
  .size = sizeof(newton),
  .lr = 1,
  .full_batch = true,
  .iterate = iterate,
  .rows = rows,
  .takes = lar_whole_takes_smooth,
};
