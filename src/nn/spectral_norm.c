#include "nn/init.h"
#include "nn/wrap.h"

enum { WARM = 15 }; /* rounds of the power method at the start */

typedef struct spectral_norm {
  double rounds, eps;
} spectral_norm;

static const lar_param params[] = {
  {"rounds", offsetof(spectral_norm, rounds), 1, 1, 1000, "of the power method a step",
   LAR_INTEGER},
  {"eps", offsetof(spectral_norm, eps), 1e-12, 0, HUGE_VAL, "least length divided by"},
  {0},
};

static lar_var *matrix(lar_scope *s, lar_var *w) {
  int64_t rows = w->t.shape[0], cols = lar_shape_numel(w->t.ndim - 1, w->t.shape + 1);
  return lar_reshape(s, w, 2, (int64_t[]){rows, cols});
}

/* v / |v| into the buffer */
static void keep(lar_scope *s, lar_var *buffer, lar_var *v, double eps) {
  lar_var *norm = LAR_CALL1(s, sqrt, lar_sum(s, LAR_CALL1(s, square, v)));
  lar_var *unit = lar_div(s, v, lar_clamp(s, norm, eps, HUGE_VAL));
  if (unit == NULL) return;
  lar_status st = lar_var_assign(buffer, &unit->t);
  if (st != LAR_OK) (void)lar_scope_fail(s, st);
}

static void power(lar_module *m, lar_scope *s, lar_var *w, int rounds) {
  double eps = ((const spectral_norm *)m->self)->eps;
  lar_var *u = lar_module_slot(m, "left"), *v = lar_module_slot(m, "right");
  bool former = lar_grad_mode(false);
  lar_var *a = matrix(s, w), *at = lar_transpose(s, a, 1, 2);
  for (int k = 0; k < rounds; k++) {
    keep(s, v, lar_matmul(s, at, u), eps);
    keep(s, u, lar_matmul(s, a, v), eps);
  }
  lar_grad_mode(former);
}

static lar_status init(lar_module *m) {
  lar_scope s;
  lar_var *u, *v;
  const lar_slot *slot = lar_wrap_weight(m);
  if (slot == NULL) return LAR_EARG;
  const lar_tensor *w = &slot->var->t;
  int64_t cols = lar_shape_numel(w->ndim - 1, w->shape + 1);
  LAR_TRY(lar_module_add(m, "left", LAR_WEIGHT, true, 1, &w->shape[0], &u));
  LAR_TRY(lar_module_add(m, "right", LAR_WEIGHT, true, 1, &cols, &v));
  lar_init_normal(&u->t, 0, 1);
  lar_scope_init(&s);
  power(m, &s, slot->var, WARM);
  lar_status st = s.status;
  lar_scope_clear(&s);
  return st;
}

/* sigma = u^T W v with u and v held fixed (and copied: the next step moves them). */
static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  lar_var *w = lar_wrap_weight(m)->var;
  if (m->training) power(m, s, w, (int)((const spectral_norm *)m->self)->rounds);
  lar_var *u = LAR_CALL1(s, clone, lar_module_slot(m, "left"));
  lar_var *v = LAR_CALL1(s, clone, lar_module_slot(m, "right"));
  lar_var *wv = lar_matmul(s, matrix(s, w), v);
  lar_var *sigma = lar_sum(s, lar_mul(s, u, wv));
  return lar_wrap_forward(m, s, x, lar_div(s, w, sigma));
}

LAR_ENTRY(layer, spectral_norm) = {
  .name = "spectral_norm",
  .doc =
    "a layer whose weight is W / sigma, sigma the largest singular value of its own weight "
    "W by the power method, moved on in training",
  .source = "Miyato, Kataoka, Koyama & Yoshida 2018, ICLR",
  .params = params,
  .size = sizeof(spectral_norm),
  .traits = LAR_LAYER_CONTAINER,
  .init = init,
  .forward = forward,
  .shape = lar_wrap_shape,
};
