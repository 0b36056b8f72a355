#include "core/real.h"
#include "op/map.h"

#include "op/gelu.h"

static const lar_param params[] = {
  {"approximate", LAR_AT(0), 0, 0, 1, "by tanh instead of erf", LAR_CHOICE, "none|tanh"},
  {0},
};

static inline real exact(real x, const double *p) {
  real a = gelu_size(x);
  return (x > 0 ? x : 0) - a * gelu_tail(a, gelu_bell(a));
}

static inline real by_tanh(real x, const double *p) {
  real a = gelu_size(x), e = gelu_odds(a);
  return (x > 0 ? x : 0) - a * e / (1 + e);
}

LAR_VMAP1(gelu_exact, exact)
LAR_VMAP1(gelu_tanh, by_tanh)

LAR_MAP_HEAD(gelu) {
  (p[0] == 0 ? LAR_MAP_LOOP(gelu_exact) : LAR_MAP_LOOP(gelu_tanh))(n, out, in, p);
}

static void vjp(lar_vjp *v) {
  v->gx[0] = lar_apply(v->s, LAR_OP(gelu_slope), v->attr, 2, (lar_var *[]){v->g[0], v->x[0]});
}

LAR_ENTRY(op, gelu) = {
  .name = "gelu",
  .doc = "x Phi(x), Phi the normal distribution function",
  .args = "x",
  .params = params,
  .nin = 1,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(gelu),
  .vjp = vjp,
};
