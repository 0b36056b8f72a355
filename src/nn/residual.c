#include "nn/chain.h"

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  lar_var *y = lar_chain_forward(m, s, x);
  if (y != NULL && !lar_tensor_same_shape(&x->t, &y->t))
    return lar_layer_fail(s, LAR_ESHAPE, "the branch makes %s out of %s; they cannot be added",
                          lar_tensor_text(&y->t), lar_tensor_text(&x->t));
  return lar_add(s, x, y);
}

LAR_ENTRY(layer, residual) = {
  .name = "residual",
  .doc = "x + f(x), f the layers one after the other",
  .source = "He, Zhang, Ren & Sun 2016, CVPR",
  .traits = LAR_LAYER_CONTAINER | LAR_LAYER_CHAIN,
  .forward = forward,
  .shape = lar_chain_shape,
};
