#include "kern/copy.h"
#include "nn/init.h"

typedef struct embedding {
  double num, dim;
} embedding;

static const lar_param params[] = {
  {"num", offsetof(embedding, num), 0, 1, 1e12, "number of ids", LAR_INTEGER},
  {"dim", offsetof(embedding, dim), 0, 1, 1e9, "length of a vector", LAR_INTEGER},
  {0},
};

static lar_status init(lar_module *m) {
  const embedding *self = m->self;
  int64_t shape[] = {(int64_t)self->num, (int64_t)self->dim};
  lar_var *w;
  LAR_TRY(lar_module_add(m, "weight", LAR_WEIGHT, false, 2, shape, &w));
  return lar_init(m->init != NULL ? m->init : "normal", &w->t);
}

static lar_status check(const lar_tensor *x, int64_t num) {
  lar_tensor own = {0};
  if (x->dtype != LAR_I64)
    return lar_fail(LAR_EDTYPE, "input %s is %s; ids are int64", lar_tensor_text(x),
                    lar_dtype_name(x->dtype));
  LAR_TRY(lar_contiguous(&own, x, LAR_I64));
  const int64_t *id = lar_tensor_data(&own);
  int64_t n = lar_tensor_numel(x), rows = x->ndim > 0 ? x->shape[0] : 1;
  lar_status st = LAR_OK;
  for (int64_t k = 0; st == LAR_OK && k < n; k++)
    if (id[k] < 1 || id[k] > num)
      st = lar_fail(LAR_EARG, "id %lld in row %lld is not in 1..%lld", (long long)id[k],
                    (long long)(k / (n / rows) + 1), (long long)num);
  lar_tensor_clear(&own);
  return st;
}

static lar_var *forward(lar_module *m, lar_scope *s, lar_var *x) {
  lar_status st = check(&x->t, (int64_t)((const embedding *)m->self)->num);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_attr attr = {.n = 1, .i = {1}};
  lar_var *in[] = {lar_module_slot(m, "weight"), x};
  return lar_apply(s, LAR_OP(index_select), &attr, 2, in);
}

static lar_status shape(const lar_module *m, int *ndim, int64_t *sizes) {
  if (*ndim == LAR_UNKNOWN || *ndim == LAR_MAX_NDIM) {
    *ndim = LAR_UNKNOWN;
    return LAR_OK;
  }
  sizes[(*ndim)++] = (int64_t)((const embedding *)m->self)->dim;
  return LAR_OK;
}

LAR_ENTRY(layer, embedding) = {
  .name = "embedding",
  .doc = "a learnt vector for each id of 1..num; (n, ...) becomes (n, ..., dim)",
  .args = "num dim",
  .params = params,
  .size = sizeof(embedding),
  .traits = LAR_LAYER_INTEGER | LAR_LAYER_INIT,
  .init = init,
  .forward = forward,
  .shape = shape,
};
