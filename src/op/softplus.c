#include "core/real.h"
#include "op/map.h"

static const lar_param params[] = {
  {"beta", LAR_AT(0), 1, LAR_ABOVE0, HUGE_VAL, "sharpness"},
  {0},
};

static inline real f(real x, const double *p) {
  real beta = (real)p[0];
  return (x > 0 ? x : 0) + log1p(exp(-fabs(beta * x))) / beta;
}
LAR_VMAP1(softplus, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  double beta = v->attr->f[0];
  lar_var *z = beta == 1 ? v->x[0] : lar_affine(s, v->x[0], beta, 0);
  v->gx[0] = lar_mul(s, v->g[0], LAR_CALL1(s, sigmoid, z));
}

LAR_ENTRY(op, softplus) = {
  .name = "softplus",
  .doc = "log(1 + exp(beta x)) / beta",
  .args = "x",
  .params = params,
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(softplus),
  .vjp = vjp,
};
