#include "kern/gemv.h"

#include "kern/gemv_loops.h"

bool lar_gemv(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
              double beta) {
  int64_t m = a->shape[0], k = a->shape[1];
  if (b->shape[1] != 1 || m < 1 || k < 1 || m > LAR_GEMV_MOST / k || alpha != 1 || beta != 0)
    return false;
  lar_gemv_body *body = c->dtype == LAR_F32 ? lar_gemv_f32 : lar_gemv_f64;
  body(m, k, lar_tensor_data(c), lar_tensor_data(a), a->stride[0], a->stride[1],
       lar_tensor_data(b), b->stride[0]);
  return true;
}
