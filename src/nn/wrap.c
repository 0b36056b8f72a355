#include "nn/wrap.h"

#include <string.h>

lar_slot *lar_wrap_weight(const lar_module *m) {
  if (m->nchild != 1) {
    (void)lar_fail(LAR_EARG, "takes one layer, not %d", m->nchild);
    return NULL;
  }
  lar_module *c = m->child[0];
  for (int k = 0; k < c->nslot; k++)
    if (strcmp(c->slot[k].name, "weight") == 0 && c->slot[k].var->t.ndim >= 2)
      return &c->slot[k];
  (void)lar_fail(LAR_EARG, "a %s has no matrix 'weight'", lar_module_name(c));
  return NULL;
}

lar_var *lar_wrap_forward(lar_module *m, lar_scope *s, lar_var *x, lar_var *w) {
  lar_slot *slot = lar_wrap_weight(m);
  if (slot == NULL || w == NULL) return NULL;
  lar_var *own = slot->var;
  slot->var = w;
  lar_var *y = lar_module_forward(m->child[0], s, x);
  slot->var = own;
  return y;
}

lar_status lar_wrap_shape(const lar_module *m, int *ndim, int64_t *shape) {
  return lar_module_shape(m->child[0], ndim, shape);
}
