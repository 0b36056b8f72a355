#include "penalty/activation.h"

typedef struct self {
  double rho;
} self;

static const lar_param schema[] = {
  {"rho", offsetof(self, rho), 0.05, 1e-6, 1 - 1e-6, "wanted mean activation of a unit"},
  {0},
};

static lar_var *outside(lar_scope *s, double found) {
  return lar_scope_fail(
    s, lar_fail(LAR_EARG,
                "the mean activation of a unit is %g; it must be in [0, 1], as a "
                "sigmoid layer's is",
                found));
}

/* KL of each unit's mean activation over the samples. */
static lar_var *of_layer(const void *p, lar_scope *s, lar_var *a) {
  const double rho = ((const self *)p)->rho, edge = 1e-6;
  lar_var *mean = lar_mean_dim(s, a, 1, false);
  for (int64_t i = 0, n = mean != NULL ? lar_tensor_numel(&mean->t) : 0; i < n; i++) {
    double m = lar_tensor_get(&mean->t, i);
    if (m < -edge || m > 1 + edge) return outside(s, m);
  }
  lar_var *on = lar_clamp(s, mean, edge, 1 - edge), *off = lar_affine(s, on, -1, 1);
  lar_var *gain = lar_affine(s, LAR_CALL1(s, log, on), -rho, rho * log(rho));
  lar_var *rest = lar_affine(s, LAR_CALL1(s, log, off), rho - 1, (1 - rho) * log(1 - rho));
  return lar_sum(s, lar_add(s, gain, rest));
}

static lar_var *forward(const void *p, lar_scope *s, const lar_pass *pass) {
  return lar_pass_sum(p, s, pass, of_layer);
}

LAR_ENTRY(penalty, kl_sparsity) = {
  .name = "kl_sparsity",
  .doc = "each sigmoid unit active for a share rho of the samples: sparse autoencoders",
  .source = "Ng 2011, CS294A lecture notes, sec. 3; Lee, Ekanadham & Ng 2007, NIPS 20",
  .formula = "lambda sum_j KL(rho | mean_i a_ij)",
  .params = schema,
  .size = sizeof(self),
  .traits = LAR_SMOOTH | LAR_FORWARD,
  .forward = forward,
  .sees = LAR_SEES_LAYERS,
  .see = "sigmoid",
};
