#include "penalty/differences.h"
#include "penalty/penalty.h"
#include "penalty/tv.h"

typedef struct none {
  char unused;
} none;

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  *out = at->l * lar_tv_value(w);
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  lar_tv_grad(w, at->l, g);
  return LAR_OK;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  return lar_tv_prox(w, at->l, step, metric, 0);
}

static lar_status at_max(const lar_pen_at *at, const lar_tensor *g, double *out) {
  return lar_differences_max(g, 0, out);
}

LAR_ENTRY(penalty, tv1d) = {
  .name = "tv1d",
  .doc = "differences of neighbours along the last dimension: pieces that are constant",
  .source = "Rudin, Osher & Fatemi 1992, Physica D 60; prox: Johnson 2013, J. Comput. Graph. "
            "Stat. 22(2)",
  .formula = "lambda sum_i |w_{i+1} - w_i|",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_FUSING | LAR_FALLIBLE | LAR_NORM,
  .value = value,
  .grad = grad,
  .prox = prox,
  .at_max = at_max,
};
