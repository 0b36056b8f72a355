#include "nn/chain.h"

lar_var *lar_chain_forward(lar_module *m, lar_scope *s, lar_var *x) {
  for (int k = 0; k < m->nchild; k++) x = lar_module_forward(m->child[k], s, x);
  return x;
}

lar_status lar_chain_shape(const lar_module *m, int *ndim, int64_t *shape) {
  for (int k = 0; k < m->nchild; k++) LAR_TRY(lar_module_shape(m->child[k], ndim, shape));
  return LAR_OK;
}
