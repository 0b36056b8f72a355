#include "core/real.h"
#include "op/map.h"

static const lar_param params[] = {
  {"scale", LAR_AT(0), 1, -HUGE_VAL, HUGE_VAL, "factor"},
  {"shift", LAR_AT(1), 0, -HUGE_VAL, HUGE_VAL, "term"},
  {0},
};

static inline real f(real x, const double *p) { return (real)p[0] * x + (real)p[1]; }
LAR_MAP1(affine, f)

static void vjp(lar_vjp *v) { v->gx[0] = lar_affine(v->s, v->g[0], v->attr->f[0], 0); }

LAR_ENTRY(op, affine) = {
  .name = "affine",
  .doc = "scale x + shift, with numbers",
  .args = "x",
  .params = params,
  .nin = 1,
  .traits = LAR_OP_LINEAR,
  .result = LAR_FLOAT,
  .map = LAR_FMAPS(affine),
  .vjp = vjp,
};
