#include "core/mem.h"
#include "nn/nn.h"

enum { CONCAT, SUM };

typedef struct parallel {
  double merge, dim;
} parallel;

static const lar_param params[] = {
  {"merge", offsetof(parallel, merge), CONCAT, 0, 1, "how the outputs meet", LAR_CHOICE,
   "concat|sum"},
  {"dim", offsetof(parallel, dim), -1, -LAR_MAX_NDIM, LAR_MAX_NDIM,
   "dimension along which they are joined", LAR_INTEGER},
  {0},
};

static lar_status init(lar_module *m) {
  return m->nchild > 0 ? LAR_OK : lar_fail(LAR_EARG, "there are no branches");
}

static lar_var *sum(lar_scope *s, int n, lar_var **y) {
  lar_var *total = y[0];
  for (int k = 1; k < n; k++) {
    if (!lar_tensor_same_shape(&total->t, &y[k]->t))
      return lar_layer_fail(s, LAR_ESHAPE,
                            "branch 1 makes %s and branch %d %s; cannot add them",
                            lar_tensor_text(&total->t), k + 1, lar_tensor_text(&y[k]->t));
    total = lar_add(s, total, y[k]);
    if (total == NULL) return NULL;
  }
  return total;
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  const parallel *self = m->self;
  void *p;
  lar_status st = lar_alloc(&p, (size_t)m->nchild, sizeof(lar_var *));
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_var **y = p, *out = NULL;
  for (int k = 0; k < m->nchild; k++) y[k] = lar_module_forward(m->child[k], s, x);
  lar_attr attr = lar_attr_default(LAR_OP(cat));
  attr.n = 1;
  attr.i[0] = (int64_t)self->dim;
  if (s->status == LAR_OK)
    out = self->merge == SUM ? sum(s, m->nchild, y)
                             : lar_apply(s, LAR_OP(cat), &attr, m->nchild, y);
  lar_free(p);
  return out;
}

static void join(int at, int64_t *all, const int64_t *one) {
  bool known = all[at] >= 0 && one[at] >= 0;
  all[at] = known ? all[at] + one[at] : LAR_UNKNOWN;
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  const parallel *self = m->self;
  int64_t all[LAR_MAX_NDIM], one[LAR_MAX_NDIM];
  int n = LAR_UNKNOWN, at = 0;
  for (int k = 0; k < m->nchild; k++) {
    int nd = *ndim;
    for (int d = 0; d < LAR_MAX_NDIM; d++) one[d] = sizes[d];
    LAR_TRY(lar_module_shape(m->child[k], &nd, one));
    if (nd == LAR_UNKNOWN || (k > 0 && nd != n)) {
      *ndim = LAR_UNKNOWN;
      return LAR_OK;
    }
    n = nd;
    if (self->merge == CONCAT) LAR_TRY(lar_dim((int64_t)self->dim, n, &at));
    for (int d = 0; k == 0 && d < n; d++) all[d] = one[d];
    if (k > 0 && self->merge == CONCAT) join(at, all, one);
  }
  *ndim = n;
  for (int d = 0; d < n; d++) sizes[d] = all[d];
  return LAR_OK;
}

LAR_ENTRY(layer, parallel) = {
  .name = "parallel",
  .doc = "branches that read the same input, their outputs joined or added",
  .params = params,
  .size = sizeof(parallel),
  .traits = LAR_LAYER_CONTAINER,
  .init = init,
  .forward = forward,
  .shape = shape,
};
