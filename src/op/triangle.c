#include "op/triangle.h"

#include <string.h>

#include "kern/copy.h"

lar_status lar_triangle_forward(lar_io *io, bool lower) {
  const lar_tensor *x = io->in[0];
  lar_tensor *y = &io->out[0];
  int64_t k = lar_attr_int(io->attr, 0);
  if (k == LAR_NONE) k = 0;
  if (x->ndim < 2) return lar_fail(LAR_ESHAPE, "%s is not a matrix", lar_tensor_text(x));
  if (k > x->shape[x->ndim - 1]) k = x->shape[x->ndim - 1];
  if (k < -x->shape[x->ndim - 2]) k = -x->shape[x->ndim - 2];
  LAR_TRY(lar_clone(y, x, x->dtype));
  io->nout = 1;
  size_t size = lar_dtype_size(x->dtype);
  int64_t rows = x->shape[x->ndim - 2], cols = x->shape[x->ndim - 1];
  int64_t all = cols > 0 ? lar_tensor_numel(x) / cols : 0;
  for (int64_t r = 0; r < all; r++) {
    char *row = (char *)lar_tensor_data(y) + (size_t)(r * cols) * size;
    int64_t edge = r % rows + k + (lower ? 1 : 0); /* first column past the kept part */
    edge = edge < 0 ? 0 : edge > cols ? cols : edge;
    if (lower)
      memset(row + (size_t)edge * size, 0, (size_t)(cols - edge) * size);
    else
      memset(row, 0, (size_t)edge * size);
  }
  return LAR_OK;
}
