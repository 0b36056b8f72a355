#include "core/real.h"
#include "op/map.h"

#include "op/gelu.h"

/* Phi(x) + x phi(x), which at x and -x add up to 1 */
static inline real exact(real g, real x, const double *p) {
  real a = gelu_size(x), bell = gelu_bell(a);
  real d = gelu_tail(a, bell) - a * ((real)ONE_ROOT_2_PI * bell);
  return g * (x > 0 ? 1 - d : d);
}

/* the same of h + x h' with h = e / (1 + e) and h' = -h (2u)' / (1 + e) */
static inline real by_tanh(real g, real x, const double *p) {
  real a = gelu_size(x), e = gelu_odds(a), r = 1 / (1 + e);
  real du = (real)(2 * ROOT_2_PI) * (1 + (real)(3 * CUBE) * a * a);
  real d = e * r * (1 - a * du * r);
  return g * (x > 0 ? 1 - d : d);
}

LAR_VMAP2(gelu_slope_exact, exact)
LAR_VMAP2(gelu_slope_tanh, by_tanh)

LAR_MAP_HEAD(gelu_slope) {
  (p[0] == 0 ? LAR_MAP_LOOP(gelu_slope_exact) : LAR_MAP_LOOP(gelu_slope_tanh))(n, out, in, p);
}

/* phi(x) (2 - x^2) */
static lar_var *curve_exact(lar_scope *s, lar_var *x) {
  lar_var *x2 = LAR_CALL1(s, square, x), *bell = LAR_CALL1(s, exp, lar_affine(s, x2, -0.5, 0));
  return lar_mul(s, bell, lar_affine(s, x2, -ONE_ROOT_2_PI, 2 * ONE_ROOT_2_PI));
}

/* s (1 - s) (2 d + x ((1 - 2 s) d^2 + d')) with d = (2u)' */
static lar_var *curve_tanh(lar_scope *s, lar_var *x) {
  const double root = 2 * ROOT_2_PI;
  lar_var *x2 = LAR_CALL1(s, square, x), *d = lar_affine(s, x2, 3 * root * CUBE, root);
  lar_var *sig = LAR_CALL1(s, sigmoid, lar_mul(s, x, lar_affine(s, x2, root * CUBE, root)));
  lar_var *turn = lar_mul(s, lar_affine(s, sig, -2, 1), LAR_CALL1(s, square, d));
  lar_var *rest = lar_add(s, lar_mul(s, x, turn), lar_affine(s, x2, 6 * root * CUBE, 0));
  lar_var *bend = lar_add(s, lar_affine(s, d, 2, 0), rest);
  return lar_mul(s, lar_mul(s, sig, lar_affine(s, sig, -1, 1)), bend);
}

static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *g = v->x[0], *x = v->x[1];
  if (v->need[0])
    v->gx[0] = lar_apply(s, LAR_OP(gelu_slope), v->attr, 2, (lar_var *[]){v->g[0], x});
  if (v->need[1])
    v->gx[1] = lar_mul(s, lar_mul(s, v->g[0], g),
                       v->attr->f[0] == 0 ? curve_exact(s, x) : curve_tanh(s, x));
}

LAR_ENTRY(op, gelu_slope) = {
  .name = "gelu_slope",
  .doc = "g times the derivative of gelu at x",
  .args = "xx",
  .nin = 2,
  .traits = LAR_OP_HIDDEN,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(gelu_slope),
  .vjp = vjp,
};
