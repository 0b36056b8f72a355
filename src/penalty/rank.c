#include "penalty/spectrum.h"

typedef struct rank {
  double r;
} rank;

static const lar_param schema[] = {
  {"r", offsetof(rank, r), 1.0, 1.0, 2147483647.0, "greatest rank", LAR_INTEGER},
  {0},
};

static int64_t of(const lar_pen_at *at) { return (int64_t)((const rank *)at->self)->r; }

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  double left, slack = w->dtype == LAR_F32 ? 1e-6 : 1e-9;
  LAR_TRY(lar_spectrum_beyond(w, of(at), &left));
  *out = left > slack ? HUGE_VAL : left * 0;
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  return LAR_OK;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  return lar_spectrum_truncate(at, w, of(at));
}

LAR_ENTRY(penalty, rank) = {
  .name = "rank",
  .doc = "a matrix of rank r at most: the r largest singular values stay",
  .source = "Eckart & Young 1936, Psychometrika 1(3)",
  .formula = "rank(w) <= r",
  .params = schema,
  .size = sizeof(rank),
  .traits = LAR_CONSTRAINT | LAR_EUCLIDEAN | LAR_FALLIBLE,
  .value = value,
  .grad = grad,
  .prox = prox,
};
