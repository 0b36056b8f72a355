#include "kern/gemv.h"

#include "kern/gemv_loops.h"

enum { MOST = 4096 }; /* elements of a matrix: beyond, BLAS is as fast */

bool lar_gemv(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
              double beta) {
  int64_t m = a->shape[0], k = a->shape[1];
  bool by_row = a->stride[1] == 1 && (a->stride[0] >= k || m == 1);
  bool by_column = a->stride[0] == 1 && (a->stride[1] >= m || k == 1);
  if (b->shape[1] != 1 || m < 1 || k < 1 || m * k > MOST || alpha != 1 || beta != 0 ||
      (b->stride[0] != 1 && k != 1) || !(by_row || by_column))
    return false;
  lar_gemv_body *body = lar_gemv_rows_f64;
  if (c->dtype == LAR_F32)
    body = by_row ? lar_gemv_rows_f32 : lar_gemv_columns_f32;
  else if (!by_row)
    body = lar_gemv_columns_f64;
  body(m, k, lar_tensor_data(c), lar_tensor_data(a), a->stride[by_row ? 0 : 1],
       lar_tensor_data(b));
  return true;
}
