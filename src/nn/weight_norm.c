#include "nn/wrap.h"

/* Norms of the rows (the outputs) of w, as (out, 1, ...). */
static lar_var *norms(lar_scope *s, lar_var *w) {
  lar_attr attr = lar_attr_default(LAR_OP(sum));
  attr.n = w->t.ndim - 1;
  for (int k = 0; k < attr.n; k++) attr.i[k] = k + 2;
  attr.f[0] = 1; /* keepdim */
  lar_var *square = LAR_CALL1(s, square, w);
  return LAR_CALL1(s, sqrt, lar_apply(s, LAR_OP(sum), &attr, 1, &square));
}

/* The gain starts as the norm, so that wrapping changes nothing. */
static lar_status init(lar_module *m) {
  lar_scope s;
  lar_var *gain;
  const lar_slot *slot = lar_wrap_weight(m);
  if (slot == NULL) return LAR_EARG;
  bool former = lar_grad_mode(false);
  lar_scope_init(&s);
  lar_var *n = LAR_CALL1(&s, contiguous, norms(&s, slot->var));
  lar_status st = lar_scope_take(&s, n, &gain);
  lar_scope_clear(&s);
  lar_grad_mode(former);
  LAR_TRY(st);
  st = lar_module_put(m, "gain", LAR_GAIN, false, gain);
  if (st == LAR_OK) gain->requires_grad = true;
  lar_var_unref(gain);
  return st;
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  lar_var *v = lar_wrap_weight(m)->var;
  lar_var *scale = lar_div(s, lar_module_slot(m, "gain"), norms(s, v));
  return lar_wrap_forward(m, s, x, lar_mul(s, v, scale));
}

LAR_ENTRY(layer, weight_norm) = {
  .name = "weight_norm",
  .doc = "a layer whose weight is gain v / |v| for each output, v its own weight",
  .source = "Salimans & Kingma 2016, NeurIPS",
  .traits = LAR_LAYER_CONTAINER,
  .init = init,
  .forward = forward,
  .shape = lar_wrap_shape,
};
