#include "loss/loss.h"

#define TWO_PI 6.283185307179586
#define TINY   1e-8 /* keeps the logarithm of a rate of 0 finite */

typedef struct poisson {
  double log_input, full;
} poisson;

static const lar_param params[] = {
  {"log_input", offsetof(poisson, log_input), 1, 0, 1, "f is the logarithm of the rate",
   LAR_FLAG},
  {"full", offsetof(poisson, full), 0, 0, 1, "with Stirling's term of y alone", LAR_FLAG},
  {0},
};

static bool inside(double y) { return y >= 0; }

/* y log y - y + log(2 pi y) / 2 where y > 1, else 0 */
static lar_var *stirling(lar_scope *s, lar_var *y) {
  lar_var *large = LAR_CALL2(s, gt, y, lar_const_like(s, y, 1));
  lar_var *z = lar_where(s, large, y, lar_const_like(s, y, 1));
  lar_var *half = lar_affine(s, LAR_CALL1(s, log, lar_affine(s, z, TWO_PI, 0)), 0.5, 0);
  lar_var *body = lar_sub(s, lar_mul(s, z, LAR_CALL1(s, log, z)), z);
  return lar_where(s, large, lar_add(s, body, half), lar_const_like(s, y, 0));
}

static lar_var *each(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                     lar_var *const *extra, lar_var **scale) {
  const poisson *p = self;
  lar_var *rate = p->log_input != 0 ? LAR_CALL1(s, exp, pred) : pred;
  lar_var *log_rate =
    p->log_input != 0 ? pred : LAR_CALL1(s, log, lar_affine(s, pred, 1, TINY));
  lar_var *e = lar_sub(s, rate, lar_mul(s, target, log_rate));
  return p->full != 0 ? lar_add(s, e, stirling(s, target)) : e;
}

LAR_ENTRY(loss, poisson) = {
  .name = "poisson",
  .doc = "exp(f) - y f for counts y (f - y log f where f is the rate itself)",
  .params = params,
  .size = sizeof(poisson),
  .traits = LAR_LOSS_DENSE | LAR_LOSS_GROWS,
  .domain = "a number >= 0",
  .inside = inside,
  .each = each,
};
