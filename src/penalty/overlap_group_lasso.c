/* Latent variables: w is a sum of parts, each within a group. With a multiplier eta_g >= 0 for
 * each group and s_j their sum over the groups of j,
 *   Omega(w) = min over eta of 1/2 sum_j w_j^2 / s_j + 1/2 sum_g |g| eta_g,
 * and prox(v) = v - (the nearest point to v with |a_g| <= step lambda sqrt(|g|) for all g),
 *   a_j = v_j / (1 + s_j) at the least of 1/2 sum_j v_j^2 / (1 + s_j) + 1/2 sum_g tau_g^2
 * eta_g. Both are convex and smooth in eta: coordinate descent, each step by Newton's method.
 * sqrt(|g|) times the weight of g, that is. What is in a group of weight 0 is free, as is what
 * is in no group; a group of infinite weight has no part.
 */
#include "core/mem.h"
#include "kern/copy.h"
#include "penalty/penalty.h"

enum { SWEEPS = 100000 };
static const double FINE = 1e-12, COARSE = 1e-10;

typedef struct none {
  char unused;
} none;

typedef struct latent {
  const lar_pen_at *at;
  const lar_groups *groups;
  double *v;
  double *s, *eta; /* s is NaN of what is free */
  double base;     /* 0 of the value, 1 of the prox */
  double tau;      /* bound of a group, without sqrt(|g|) and weight */
  lar_tensor w;
} latent;

static double bound_of(const latent *x, int64_t g) {
  return x->tau * lar_groups_weight(x->at, g) * sqrt((double)lar_groups_size(x->groups, g));
}

/* Has the group a multiplier? */
static bool counts(const latent *x, int64_t g) {
  double weight = lar_groups_weight(x->at, g);
  return weight > 0 && weight < HUGE_VAL && lar_groups_size(x->groups, g) > 0;
}

static lar_status make(latent *x, const lar_pen_at *at, const lar_tensor *w, double base,
                       double tau) {
  const lar_groups *G = at->groups;
  void *p;
  int64_t n = lar_tensor_numel(w);
  *x = (latent){.at = at, .groups = G, .base = base, .tau = tau};
  LAR_TRY(lar_clone(&x->w, w, LAR_F64));
  x->v = lar_tensor_data(&x->w);
  LAR_TRY(lar_alloc(&p, (size_t)n + 1, sizeof(double)));
  x->s = p;
  LAR_TRY(lar_alloc(&p, (size_t)G->n + 1, sizeof(double)));
  x->eta = p;
  for (int64_t j = 0; j < n; j++) x->s[j] = (double)NAN;
  for (int64_t g = 0; g < G->n; g++) LAR_GROUP_WALK(G, g, x->s[j] = 0)
  for (int64_t g = 0; g < G->n; g++)
    if (lar_groups_weight(at, g) == 0) {
      LAR_GROUP_WALK(G, g, x->s[j] = (double)NAN)
    }
  for (int64_t j = 0; j < n; j++)
    if (isnan(x->s[j]) && !isnan(x->v[j])) x->v[j] = 0; /* no other group need bear it */
  return LAR_OK;
}

static void clear(latent *x) {
  lar_tensor_clear(&x->w);
  lar_free(x->s);
  lar_free(x->eta);
}

/* Moves the multiplier of group g by d, never below 0; its rounding may not leave s below. */
static void shift(latent *x, int64_t g, double d) {
  x->eta[g] += d;
  LAR_GROUP_WALK(x->groups, g, {
    x->s[j] += d;
    if (x->s[j] < x->eta[g]) x->s[j] = x->eta[g];
  })
}

/* Is |a_g| within tau without the multiplier of g? */
static bool idle(const latent *x, int64_t g, double tau) {
  double q = 0;
  LAR_GROUP_WALK(x->groups, g, {
    double under = x->base + fmax(x->s[j] - x->eta[g], 0);
    q += x->v[j] == 0 ? 0 : x->v[j] * x->v[j] / (under * under);
  })
  return q <= tau * tau;
}

/* 1 / |a_g| is concave in eta_g: from the right Newton's method passes the root once, from the
 * left never. Returns how far the multiplier went, relative to the least base + s_j. */
static double descend(latent *x, int64_t g, double tau) {
  enum { ROUNDS = 60 };
  double went = 0, least = HUGE_VAL;
  for (int round = 0; round < ROUNDS; round++) {
    double q = 0, d = 0;
    LAR_GROUP_WALK(x->groups, g, {
      double under = x->base + x->s[j];
      double a = x->v[j] == 0 ? 0 : x->v[j] / under;
      q += a * a;
      if (a != 0 && under < least) least = under;
      d += a == 0 ? 0 : a * a / under;
    })
    if (!(q > 0) && x->eta[g] == 0) break;
    bool off = round == 0 && x->eta[g] > 0 && idle(x, g, tau);
    double move = off || !(q > 0) ? -x->eta[g] : q / d * (sqrt(q) / tau - 1);
    if (!off && move < -0.9 * x->eta[g]) move = -0.9 * x->eta[g];
    if (isnan(move)) break;
    shift(x, g, move);
    went += move;
    if (off || fabs(move) <= 1e-14 * least) break;
  }
  return fabs(went) / least;
}

static lar_status solve(latent *x) {
  double moved = 0;
  for (int64_t k = 0; k < SWEEPS; k++) {
    moved = 0;
    for (int64_t g = 0; g < x->groups->n; g++) {
      if (!counts(x, g)) continue;
      double d = descend(x, g, bound_of(x, g));
      moved = d > moved ? d : moved;
    }
    if (moved <= FINE) return LAR_OK;
  }
  return moved <= COARSE
           ? LAR_OK
           : lar_fail(LAR_EMATH, "overlap_group_lasso: still moves by %g after %d sweeps",
                      moved, (int)SWEEPS);
}

/* Multipliers that leave no coordinate without: those of groups apart. */
static void start(latent *x) {
  for (int64_t g = 0; g < x->groups->n; g++) {
    double sum = 0;
    LAR_GROUP_WALK(x->groups, g, sum += x->v[j] * x->v[j])
    if (sum > 0 && counts(x, g)) shift(x, g, sqrt(sum) / bound_of(x, g));
  }
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  latent x;
  *out = 0;
  lar_status st = make(&x, at, w, 0, 1);
  if (st == LAR_OK) {
    start(&x);
    st = solve(&x);
  }
  for (int64_t g = 0; st == LAR_OK && g < x.groups->n; g++)
    if (x.eta[g] > 0) *out += at->l / 2 * x.eta[g] * bound_of(&x, g) * bound_of(&x, g);
  for (int64_t j = 0, n = lar_tensor_numel(w); st == LAR_OK && j < n; j++)
    if (x.v[j] != 0 && !isnan(x.s[j]))
      *out += x.s[j] == 0 ? HUGE_VAL * fabs(x.v[j]) : at->l / 2 * x.v[j] * x.v[j] / x.s[j];
  clear(&x);
  return st;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *d) {
  latent x;
  lar_status st = make(&x, at, w, 0, 1);
  if (st == LAR_OK) {
    start(&x);
    st = solve(&x);
  }
  for (int64_t j = 0, n = lar_tensor_numel(w); st == LAR_OK && j < n; j++)
    if (x.v[j] != 0 && x.s[j] > 0)
      lar_tensor_put(d, j, lar_tensor_get(d, j) + at->l * x.v[j] / x.s[j]);
  clear(&x);
  return st;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  latent x;
  lar_status st = make(&x, at, w, 1, at->l * step);
  if (st == LAR_OK) st = solve(&x);
  for (int64_t j = 0, n = lar_tensor_numel(w); st == LAR_OK && j < n; j++)
    if (!isnan(x.s[j])) lar_tensor_put(w, j, x.v[j] * (x.s[j] / (1 + x.s[j])));
  clear(&x);
  return st;
}

LAR_ENTRY(penalty, overlap_group_lasso) = {
  .name = "overlap_group_lasso",
  .doc = "group lasso of latent parts: what is not 0 is a union of groups",
  .source = "Jacob, Obozinski & Vert 2009, ICML; prox: Villa et al. 2014, Comput. Optim. Appl. "
            "58(2)",
  .formula = "lambda min { sum_g sqrt(|g|) |v_g|_2 : sum_g v_g = w }",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_ABSOLUTE | LAR_EUCLIDEAN | LAR_OVERLAP |
            LAR_FALLIBLE | LAR_NORM,
  .value = value,
  .grad = grad,
  .prox = prox,
};
