#include "core/real.h"
#include "op/map.h"

/* lgamma_r: the plain one writes a global. */
static inline real f(real x, const double *p) {
  int sign;
  return (real)lgamma_r((double)x, &sign);
}
LAR_MAP1(lgamma, f)

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_mul(v->s, v->g[0], LAR_CALL1(v->s, polygamma, v->x[0]));
}

LAR_ENTRY(op, lgamma) = {
  .name = "lgamma",
  .doc = "log of the absolute value of the gamma function",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(lgamma),
  .vjp = vjp,
};
