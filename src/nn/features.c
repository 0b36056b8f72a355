#include "nn/features.h"

#include <math.h>
#include <string.h>

#include "nn/init.h"

lar_status lar_features_init(lar_module *m, const lar_features *f) {
  lar_var *w, *b;
  int64_t in = (int64_t)f->inputs, out = (int64_t)f->outputs;
  double bound = 1 / sqrt(f->inputs);
  LAR_TRY(lar_module_add(m, "weight", LAR_WEIGHT, false, 2, (int64_t[]){out, in}, &w));
  if (m->init != NULL)
    LAR_TRY(lar_init(m->init, &w->t));
  else
    lar_init_uniform(&w->t, -bound, bound);
  if (f->bias == 0) return LAR_OK;
  LAR_TRY(lar_module_add(m, "bias", LAR_BIAS, false, 1, &out, &b));
  lar_init_uniform(&b->t, -bound, bound);
  return LAR_OK;
}

static lar_var *rows(lar_scope *s, lar_var *x, lar_var *w, lar_var *b) {
  if (b == NULL) return LAR_CALL2(s, matmul2, x, lar_transpose(s, w, 1, 2));
  return LAR_CALL3(s, linear, x, w, b);
}

lar_var *lar_features_apply(lar_scope *s, const lar_features *f, lar_var *x, lar_var *w,
                            lar_var *b) {
  int n = x->t.ndim;
  int64_t in = n > 0 ? x->t.shape[n - 1] : 1, shape[LAR_MAX_NDIM];
  if (n == 0 || in != (int64_t)f->inputs)
    return lar_layer_fail(s, LAR_ESHAPE, "input %s has %lld feature%s, the layer takes %.0f",
                          lar_tensor_text(&x->t), (long long)in, in == 1 ? "" : "s", f->inputs);
  if (n == 2) return rows(s, x, w, b);
  memcpy(shape, x->t.shape, sizeof shape);
  int64_t count = lar_shape_numel(n - 1, shape);
  lar_var *y = rows(s, lar_reshape(s, x, 2, (int64_t[]){count, in}), w, b);
  shape[n - 1] = (int64_t)f->outputs;
  return lar_reshape(s, y, n, shape);
}

lar_status lar_features_shape(const lar_features *f, int *ndim, int64_t *shape) {
  if (*ndim == 0) return lar_fail(LAR_ESHAPE, "linear: a scalar has no features");
  if (*ndim == LAR_UNKNOWN) {
    *ndim = 2;
    shape[0] = LAR_UNKNOWN;
  }
  shape[*ndim - 1] = (int64_t)f->outputs;
  return LAR_OK;
}
