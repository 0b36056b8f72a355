#include "core/real.h"
#include "op/map.h"

static inline real f(real x, const double *p) { return (x < 0 ? x : 0) - log1p(exp(-fabs(x))); }
LAR_VMAP1(log_sigmoid, f)

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  v->gx[0] = lar_mul(s, v->g[0], LAR_CALL1(s, sigmoid, lar_neg(s, v->x[0])));
}

LAR_ENTRY(op, log_sigmoid) = {
  .name = "log_sigmoid",
  .doc = "log(1 / (1 + exp(-x))), exact where sigmoid(x) underflows",
  .args = "x",
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(log_sigmoid),
  .vjp = vjp,
};
