#include "kern/copy.h"
#include "penalty/penalty.h"

typedef struct none {
  char unused;
} none;

static double strength(const lar_pen_at *at, int64_t g) {
  return at->l * lar_groups_weight(at, g) * sqrt((double)lar_groups_size(at->groups, g));
}

static double norm(const lar_groups *G, const double *w, int64_t g) {
  double sum = 0;
  LAR_GROUP_WALK(G, g, sum += w[j] * w[j])
  return sqrt(sum);
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  lar_tensor x = {0};
  LAR_TRY(lar_contiguous(&x, w, LAR_F64));
  *out = 0;
  for (int64_t g = 0; g < at->groups->n; g++) {
    double r = norm(at->groups, lar_tensor_data(&x), g);
    *out += r == 0 ? 0 : strength(at, g) * r;
  }
  lar_tensor_clear(&x);
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *d) {
  lar_tensor x = {0};
  LAR_TRY(lar_contiguous(&x, w, LAR_F64));
  const double *v = lar_tensor_data(&x);
  for (int64_t g = 0; g < at->groups->n; g++) {
    double r = norm(at->groups, v, g), slope = strength(at, g);
    double scale = r == 0 || slope == HUGE_VAL ? 0 : slope / r;
    LAR_GROUP_WALK(at->groups, g, lar_tensor_put(d, j, lar_tensor_get(d, j) + scale * v[j]))
  }
  lar_tensor_clear(&x);
  return LAR_OK;
}

/* Groups inside come first: their prox scales them, which keeps the subgradient of the ones
 * that it has met, or makes them 0, and so does all that follows. */
static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  lar_tensor x = {0};
  LAR_TRY(lar_contiguous(&x, w, LAR_F64));
  double *v = lar_tensor_data(&x);
  for (int64_t g = 0; g < at->groups->n; g++) {
    double r = norm(at->groups, v, g), left = lar_soft(r, step * strength(at, g));
    double scale = r == 0 ? 1 : left / r;
    LAR_GROUP_WALK(at->groups, g, v[j] = scale == 0 ? 0 : v[j] * scale)
  }
  lar_status st = v != lar_tensor_data(w) ? lar_copy(w, &x) : LAR_OK;
  lar_tensor_clear(&x);
  return st;
}

LAR_ENTRY(penalty, tree_group) = {
  .name = "tree_group",
  .doc = "norms of groups that hold each other: a part is 0 unless what holds it is not",
  .source = "Zhao, Rocha & Yu 2009, Ann. Statist. 37(6A); prox: Jenatton et al. 2011, JMLR 12, "
            "algorithm 1",
  .formula = "lambda sum_g sqrt(|g|) |w_g|_2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_ABSOLUTE | LAR_EUCLIDEAN | LAR_NESTED |
            LAR_FALLIBLE | LAR_NORM,
  .value = value,
  .grad = grad,
  .prox = prox,
};
