#include "kern/gemv.h"

#include "kern/gemv_loops.h"

bool lar_gemv(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
              double beta) {
  int64_t m = a->shape[0], k = a->shape[1], n = b->shape[1];
  if ((m != 1 && n != 1 && k != 1) || m < 1 || n < 1 || k < 1 || m * n > LAR_GEMV_MOST / k ||
      alpha != 1 || beta != 0)
    return false;
  bool wide = c->dtype == LAR_F64;
  lar_gemv_body *body = wide ? lar_gemv_f64 : lar_gemv_f32;
  lar_outer_body *outer = wide ? lar_outer_f64 : lar_outer_f32;
  const void *x = lar_tensor_data(a), *y = lar_tensor_data(b);
  void *to = lar_tensor_data(c);
  if (k == 1)
    outer(m, n, to, x, a->stride[0], y, b->stride[1]);
  else if (n == 1)
    body(m, k, to, x, a->stride[0], a->stride[1], y, b->stride[0]);
  else /* the same turned over */
    body(n, k, to, y, b->stride[1], b->stride[0], x, a->stride[1]);
  return true;
}
