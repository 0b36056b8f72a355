#include "core/number.h"
#include "op/map.h"

static inline real f(real c, real x, real y, const double *p) { return c != 0 ? x : y; }
LAR_MAP3(where, f)

static void vjp(lar_vjp *v) {
  lar_var *none = lar_const_like(v->s, v->g[0], 0);
  if (v->need[1]) v->gx[1] = lar_where(v->s, v->x[0], v->g[0], none);
  if (v->need[2]) v->gx[2] = lar_where(v->s, v->x[0], none, v->g[0]);
}

LAR_ENTRY(op, where) = {
  .name = "where",
  .doc = "a where the condition holds, else b",
  .args = "xxx",
  .nin = 3,
  .result = LAR_BRANCH,
  .map = LAR_MAPS(where),
  .vjp = vjp,
};
