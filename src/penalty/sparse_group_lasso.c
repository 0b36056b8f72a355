#include "core/real.h"
#define LAR_RADIAL_L1(p, l) ((l) * (p)->l1_ratio)
#include "penalty/radial.h"

typedef struct mix {
  double l1_ratio;
} mix;

static const lar_param schema[] = {
  {"l1_ratio", offsetof(mix, l1_ratio), 0.5, 0.0, 1.0, "share of |w|_1, the rest is norms"},
  {0},
};

static inline double value(const mix *p, double l, double size, double r) {
  return l * (1 - p->l1_ratio) * sqrt(size) * r;
}

static inline double slope(const mix *p, double l, double size, double r) {
  return l * (1 - p->l1_ratio) * sqrt(size);
}

static inline double shrink(const mix *p, double l, double size, double r, double t) {
  return lar_soft(r, t * l * (1 - p->l1_ratio) * sqrt(size));
}

static inline lar_secular secular(const mix *p, double l, double size) {
  return (lar_secular){.beta = l * (1 - p->l1_ratio) * sqrt(size)};
}

LAR_RADIAL_LOOPS(mix)
LAR_RADIAL_ENTRY(sparse_group_lasso)

LAR_ENTRY(penalty, sparse_group_lasso) = {
  .name = "sparse_group_lasso",
  .doc = "l1 and norms of groups: few groups, and few coordinates in them",
  .source = "Simon et al. 2013, J. Comput. Graph. Stat. 22(2); Yu 2013, NIPS 26, theorem 1",
  .formula = "lambda (l1_ratio |w|_1 + (1 - l1_ratio) sum_g sqrt(|g|) |w_g|_2)",
  .params = schema,
  .size = sizeof(mix),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_RADIAL | LAR_ABSOLUTE | LAR_SOFT | LAR_NORM,
  LAR_RADIAL_SLOTS,
};
