#include "grad/grad.h"
#include "op/random.h"
#include "penalty/activation.h"

typedef struct self {
  double projections;
} self;

static const lar_param schema[] = {
  {"projections", offsetof(self, projections), 0, 0, 1e6,
   "random directions of outputs in place of all of them; 0: exact", LAR_INTEGER},
  {0},
};

/* The sum over samples of |v_i^T J_i|^2: outputs of a sample depend on its own inputs. */
static lar_var *along(lar_scope *s, const lar_pass *pass, lar_var *v) {
  lar_var *g = NULL;
  lar_var *seed = lar_reshape(s, v, pass->pred->t.ndim, pass->pred->t.shape);
  if (s->status != LAR_OK) return NULL;
  lar_status st = lar_grad(pass->pred, seed, 1, &pass->x, true, &g);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  return lar_sum(s, LAR_CALL1(s, square, lar_scope_own(s, g)));
}

/* 1 in column k of n rows. */
static lar_var *column(lar_scope *s, const lar_pass *pass, int64_t n, int64_t k, int64_t at) {
  lar_var *v = NULL;
  int64_t shape[2] = {n, k};
  lar_status st = lar_var_init(&v, pass->pred->t.dtype, 2, shape);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  for (int64_t i = 0; i < n * k; i++) lar_tensor_put(&v->t, i, i % k == at ? 1 : 0);
  return lar_scope_own(s, v);
}

/* Directions uniform on the sphere, one for each sample. */
static lar_var *direction(lar_scope *s, const lar_pass *pass, int64_t n, int64_t k) {
  int64_t shape[2] = {n, k};
  lar_var *v = lar_normal(s, pass->pred->t.dtype, 2, shape, 0, 1, "dropout");
  lar_var *square = lar_sum_dim(s, LAR_CALL1(s, square, v), 2, true);
  return lar_mul(s, v, LAR_CALL1(s, rsqrt, square));
}

static lar_var *forward(const void *p, lar_scope *s, const lar_pass *pass) {
  int64_t draws = (int64_t)((const self *)p)->projections;
  int64_t n = (int64_t)lar_pass_rows(pass), numel = lar_tensor_numel(&pass->pred->t);
  int64_t k = n > 0 ? numel / n : 0, turns = draws > 0 ? draws : k;
  lar_var *sum = NULL;
  for (int64_t at = 0; s->status == LAR_OK && at < turns; at++) {
    lar_var *v = draws > 0 ? direction(s, pass, n, k) : column(s, pass, n, k, at);
    lar_var *part = along(s, pass, v);
    sum = sum != NULL ? lar_add(s, sum, part) : part;
  }
  double scale = draws > 0 ? (double)k / (double)draws : 1;
  return sum != NULL ? lar_affine(s, sum, scale / (double)n, 0)
                     : lar_const_like(s, pass->pred, 0);
}

LAR_ENTRY(penalty, jacobian) = {
  .name = "jacobian",
  .doc = "squares of the derivatives of outputs by inputs: predictions that change slowly",
  .source = "Hoffman, Roberts & Yaida 2019, arXiv:1908.02729, alg. 1",
  .formula = "lambda mean_i |df(x_i)/dx_i|_F^2",
  .params = schema,
  .size = sizeof(self),
  .traits = LAR_SMOOTH | LAR_FORWARD,
  .forward = forward,
  .sees = LAR_SEES_INPUT,
};
