/* Smooth: it acts through its gradient. The prox solves (1/t + lambda L) u = v/t, positive
 * definite, by conjugate gradients with the diagonal as preconditioner. */
#include "core/mem.h"
#include "kern/copy.h"
#include "penalty/penalty.h"

typedef struct none {
  char unused;
} none;

static double weight_of(const lar_pen_at *at, int64_t e) {
  return at->weight != NULL ? ((const double *)lar_tensor_data(at->weight))[e] : 1;
}

static lar_status pairs(const lar_groups *G) {
  for (int64_t e = 0; e < G->n; e++)
    if (G->order == NULL || lar_groups_size(G, e) != 2)
      return lar_fail(LAR_EARG, "laplacian: edge %lld joins %lld positions, not two",
                      (long long)e + 1, (long long)lar_groups_size(G, e));
  return LAR_OK;
}

/* y += l L x, and the diagonal of l L added to `diagonal` (may be NULL). */
static void multiply(const lar_pen_at *at, const double *x, double *y, double *diagonal) {
  const lar_groups *G = at->groups;
  for (int64_t e = 0; e < G->n; e++) {
    int64_t i = G->order[2 * e], j = G->order[2 * e + 1];
    double l = at->l * weight_of(at, e), d = l * (x[i] - x[j]);
    y[i] += d;
    y[j] -= d;
    if (diagonal == NULL) continue;
    diagonal[i] += l;
    diagonal[j] += l;
  }
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  const lar_groups *G = at->groups;
  lar_tensor x = {0};
  *out = 0;
  LAR_TRY(pairs(G));
  LAR_TRY(lar_contiguous(&x, w, LAR_F64));
  const double *v = lar_tensor_data(&x);
  for (int64_t e = 0; e < G->n; e++) {
    double d = v[G->order[2 * e]] - v[G->order[2 * e + 1]];
    *out += at->l / 2 * weight_of(at, e) * d * d;
  }
  lar_tensor_clear(&x);
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  lar_tensor x = {0}, y = {0};
  lar_status st = LAR_OK;
  LAR_GO(pairs(at->groups));
  LAR_GO(lar_contiguous(&x, w, LAR_F64));
  LAR_GO(lar_clone(&y, g, LAR_F64));
  multiply(at, lar_tensor_data(&x), lar_tensor_data(&y), NULL);
  LAR_GO(lar_copy(g, &y));
done:
  lar_tensor_clear(&x);
  lar_tensor_clear(&y);
  return st;
}

/* Conjugate gradients: u is there, everything else is made here. */
typedef struct solve {
  int64_t n;
  double *u, *r, *p, *q, *over, *diagonal; /* over: 1/t */
} solve;

static double dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static double preconditioned(const solve *k) {
  double sum = 0;
  for (int64_t i = 0; i < k->n; i++) sum += k->r[i] * k->r[i] / k->diagonal[i];
  return sum;
}

/* u starts at v, where the residual is -lambda L v. */
static lar_status descend(const lar_pen_at *at, const solve *k) {
  int64_t n = k->n, rounds = 10 * n + 1000;
  for (int64_t i = 0; i < n; i++) k->diagonal[i] = k->over[i];
  multiply(at, k->u, k->r, k->diagonal);
  double scale = 0;
  for (int64_t i = 0; i < n; i++) {
    k->r[i] = -k->r[i];
    k->p[i] = k->r[i] / k->diagonal[i];
    scale += k->diagonal[i] * k->u[i] * k->u[i];
  }
  double rho = preconditioned(k);
  for (int64_t round = 0; round < rounds && rho > 1e-30 * scale; round++) {
    for (int64_t i = 0; i < n; i++) k->q[i] = k->over[i] * k->p[i];
    multiply(at, k->p, k->q, NULL);
    double alpha = rho / dot(n, k->p, k->q);
    for (int64_t i = 0; i < n; i++) {
      k->u[i] += alpha * k->p[i];
      k->r[i] -= alpha * k->q[i];
    }
    double next = preconditioned(k), beta = next / rho;
    rho = next;
    for (int64_t i = 0; i < n; i++) k->p[i] = k->r[i] / k->diagonal[i] + beta * k->p[i];
  }
  return rho <= 1e-20 * scale
           ? LAR_OK
           : lar_fail(LAR_EMATH, "laplacian: conjugate gradients do not settle");
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  enum { ARRAYS = 5 };
  lar_tensor u = {0};
  void *room = NULL;
  lar_status st = LAR_OK;
  int64_t n = lar_tensor_numel(w);
  double sum = 0;
  LAR_GO(pairs(at->groups));
  LAR_GO(lar_clone(&u, w, LAR_F64));
  LAR_GO(lar_alloc(&room, (size_t)n * ARRAYS + 1, sizeof(double)));
  double *a = room;
  solve k = {n, lar_tensor_data(&u), a, a + n, a + 2 * n, a + 3 * n, a + 4 * n};
  for (int64_t i = 0; i < n; i++) {
    k.over[i] = 1 / (metric != NULL ? step * lar_tensor_get(metric, i) : step);
    sum += k.u[i] * 0;
  }
  if (sum != 0)
    lar_fill(&u, (double)NAN);
  else
    LAR_GO(descend(at, &k));
  LAR_GO(lar_copy(w, &u));
done:
  lar_free(room);
  lar_tensor_clear(&u);
  return st;
}

LAR_ENTRY(penalty, laplacian) = {
  .name = "laplacian",
  .doc = "squared differences along the edges of a graph: neighbours alike",
  .source = "Belkin, Niyogi & Sindhwani 2006, JMLR 7; Li & Li 2008, Bioinformatics 24(9)",
  .formula = "lambda/2 sum_(i,j) a_ij (w_i - w_j)^2",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_SMOOTH | LAR_GROUPED | LAR_OVERLAP | LAR_GRAPH | LAR_FALLIBLE,
  .by = "chain",
  .value = value,
  .grad = grad,
  .prox = prox,
};
