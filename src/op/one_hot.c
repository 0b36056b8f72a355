#include "kern/copy.h"
#include "op/calc.h"

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  lar_tensor id = {0};
  int64_t shape[LAR_MAX_NDIM + 1], k = lar_attr_int(io->attr, 0), n = lar_tensor_numel(x);
  lar_status st = LAR_OK;
  if (x->dtype != LAR_I64)
    return lar_fail(LAR_EDTYPE, "labels must be int64, not %s", lar_dtype_name(x->dtype));
  if (k == LAR_NONE) LAR_GO(lar_op_peek("one_hot without the number of classes"));
  LAR_GO(lar_contiguous(&id, x, LAR_I64));
  const int64_t *label = lar_tensor_data(&id);
  for (int64_t i = 0; k == LAR_NONE && i < n; i++)
    if (i == 0 || label[i] > shape[0]) shape[0] = label[i];
  if (k == LAR_NONE) k = n > 0 && shape[0] > 0 ? shape[0] : 0;
  for (int d = 0; d < x->ndim; d++) shape[d] = x->shape[d];
  shape[x->ndim] = k;
  LAR_GO(lar_tensor_zeros(&io->out[0], lar_default_dtype, x->ndim + 1, shape));
  io->nout = 1;
  for (int64_t i = 0; i < n; i++) {
    if (label[i] < 1 || label[i] > k) {
      st = lar_fail(LAR_EARG, "label %lld, number %lld, is not in 1..%lld", (long long)label[i],
                    (long long)i + 1, (long long)k);
      goto done;
    }
    lar_tensor_put(&io->out[0], i * k + label[i] - 1, 1);
  }
done:
  lar_tensor_clear(&id);
  return st;
}

LAR_ENTRY(op, one_hot) = {
  .name = "one_hot",
  .doc = "int64 labels 1..k as rows with a 1 in the label's place (k the largest unless given)",
  .args = "xi?",
  .nin = 1,
  .forward = forward,
};
