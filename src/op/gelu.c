#include "core/real.h"
#include "op/map.h"

#define ROOT_HALF     0.70710678118654752440
#define ROOT_2_PI     0.79788456080286535588 /* sqrt(2 / pi) */
#define ONE_ROOT_2_PI 0.39894228040143267794 /* 1 / sqrt(2 pi) */
#define CUBE          0.044715

static const lar_param params[] = {
  {"approximate", LAR_AT(0), 0, 0, 1, "by tanh instead of erf", LAR_CHOICE, "none|tanh"},
  {0},
};

static inline real f(real x, const double *p) {
  if (p[0] == 0) return (real)0.5 * x * erfc(-x * (real)ROOT_HALF);
  return (real)0.5 * x * (1 + tanh((real)ROOT_2_PI * (x + (real)CUBE * x * x * x)));
}
LAR_VMAP1(gelu, f)

/* Phi(x) + x phi(x) */
static lar_var *slope_erf(lar_scope *s, lar_var *x) {
  lar_var *cdf = lar_affine(s, LAR_CALL1(s, erf, lar_affine(s, x, ROOT_HALF, 0)), 0.5, 0.5);
  lar_var *bell = LAR_CALL1(s, exp, lar_affine(s, LAR_CALL1(s, square, x), -0.5, 0));
  return lar_add(s, cdf, lar_mul(s, x, lar_affine(s, bell, ONE_ROOT_2_PI, 0)));
}

/* (1 + t) / 2 + x (1 - t^2) u' / 2 with t = tanh(u) */
static lar_var *slope_tanh(lar_scope *s, lar_var *x) {
  lar_var *x2 = LAR_CALL1(s, square, x);
  lar_var *u = lar_mul(s, x, lar_affine(s, x2, ROOT_2_PI * CUBE, ROOT_2_PI));
  lar_var *du = lar_affine(s, x2, 3 * ROOT_2_PI * CUBE, ROOT_2_PI);
  lar_var *t = LAR_CALL1(s, tanh, u);
  lar_var *sech2 = lar_affine(s, LAR_CALL1(s, square, t), -0.5, 0.5);
  return lar_add(s, lar_affine(s, t, 0.5, 0.5), lar_mul(s, x, lar_mul(s, sech2, du)));
}

static void vjp(lar_vjp *v) {
  lar_var *x = v->x[0];
  lar_var *slope = v->attr->f[0] == 0 ? slope_erf(v->s, x) : slope_tanh(v->s, x);
  v->gx[0] = lar_mul(v->s, v->g[0], slope);
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
