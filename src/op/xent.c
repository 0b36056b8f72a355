#include "op/xent.h"

#include "kern/copy.h"
#include "kern/xent.h"

static lar_status check(const lar_tensor *x, const lar_tensor *y, const lar_tensor *g) {
  if (x->ndim != 2 || !lar_dtype_is_float(x->dtype) || y->ndim != 1 || y->dtype != LAR_I64 ||
      y->shape[0] != x->shape[0] || (g != NULL && !lar_tensor_same_shape(g, y)))
    return lar_fail(LAR_ESHAPE, "predictions %s and labels %s do not fit", lar_tensor_text(x),
                    lar_tensor_text(y));
  return LAR_OK;
}

static lar_status check_labels(const lar_tensor *y, int64_t k) {
  const int64_t *label = lar_tensor_data(y);
  for (int64_t i = 0; i < y->shape[0]; i++)
    if (label[i] < 1 || label[i] > k)
      return lar_fail(LAR_EARG, "label %lld in row %lld is not in 1..%lld", (long long)label[i],
                      (long long)(i + 1), (long long)k);
  return LAR_OK;
}

lar_status lar_xent_forward(lar_io *io, const lar_tensor *g) {
  lar_tensor x = {0}, y = {0}, slope = {0};
  lar_status st = LAR_OK;
  LAR_TRY(check(io->in[0], io->in[1], g));
  lar_dtype t = io->in[0]->dtype;
  LAR_GO(lar_contiguous(&x, io->in[0], t));
  LAR_GO(lar_contiguous(&y, io->in[1], LAR_I64));
  LAR_GO(check_labels(&y, x.shape[1]));
  if (g != NULL) LAR_GO(lar_contiguous(&slope, g, t));
  LAR_GO(lar_tensor_init(&io->out[0], t, g == NULL ? 1 : 2, x.shape));
  io->nout = 1;
  lar_xent_job job = {.k = x.shape[1],
                      .x = lar_tensor_data(&x),
                      .g = g == NULL ? NULL : lar_tensor_data(&slope),
                      .label = lar_tensor_data(&y),
                      .out = lar_tensor_data(&io->out[0])};
  lar_xent(t, x.shape[0], &job);
done:
  lar_tensor_clear(&x);
  lar_tensor_clear(&y);
  lar_tensor_clear(&slope);
  return st;
}
