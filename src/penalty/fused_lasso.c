#include "penalty/differences.h"
#include "penalty/penalty.h"
#include "penalty/tv.h"

typedef struct mix {
  double l1_ratio;
} mix;

static const lar_param schema[] = {
  {"l1_ratio", offsetof(mix, l1_ratio), 0.5, 0.0, 1.0, "share of |w|, the rest is differences"},
  {0},
};

static double sizes(const lar_tensor *w) {
  double sum = 0;
  int64_t n = lar_tensor_numel(w);
  if (w->dtype == LAR_F32) {
    const float *x = lar_tensor_data(w);
    for (int64_t i = 0; i < n; i++) sum += fabs((double)x[i]);
  } else {
    const double *x = lar_tensor_data(w);
    for (int64_t i = 0; i < n; i++) sum += fabs(x[i]);
  }
  return sum;
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  const mix *p = at->self;
  *out = at->l * (p->l1_ratio * sizes(w) + (1 - p->l1_ratio) * lar_tv_value(w));
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  const mix *p = at->self;
  double l = at->l * p->l1_ratio;
  for (int64_t i = 0, n = lar_tensor_numel(w); i < n; i++) {
    double x = lar_tensor_get(w, i);
    if (x != 0) lar_tensor_put(g, i, lar_tensor_get(g, i) + copysign(l, x));
  }
  lar_tv_grad(w, at->l * (1 - p->l1_ratio), g);
  return LAR_OK;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  const mix *p = at->self;
  return lar_tv_prox(w, at->l * (1 - p->l1_ratio), step, NULL, at->l * p->l1_ratio * step);
}

/* Constants cost nothing only where absolute values do. */
static lar_status centre(const lar_pen_at *at, const lar_tensor *w) {
  return ((const mix *)at->self)->l1_ratio == 0 ? lar_differences_centre(w, 0) : LAR_OK;
}

LAR_ENTRY(penalty, fused_lasso) = {
  .name = "fused_lasso",
  .doc = "pieces that are constant along the last dimension, most of them 0",
  .source = "Tibshirani et al. 2005, JRSS B 67(1); prox: Friedman et al. 2007, Ann. Appl. "
            "Stat. 1(2), lemma A.1",
  .formula = "lambda (l1_ratio |w|_1 + (1 - l1_ratio) sum_i |w_{i+1} - w_i|)",
  .params = schema,
  .size = sizeof(mix),
  .traits = LAR_CONVEX | LAR_FUSING | LAR_FALLIBLE | LAR_EUCLIDEAN | LAR_NORM,
  .value = value,
  .grad = grad,
  .prox = prox,
  .centre = centre,
};
