/*
 * penalty/matrix - a contiguous tensor seen as the matrix (out, everything else).
 *
 * Floor:    penalty. A vector is one row. The views borrow the tensor's storage.
 */
#ifndef LAR_PENALTY_MATRIX_H
#define LAR_PENALTY_MATRIX_H

#include "penalty/penalty.h"

static inline lar_tensor lar_matrix_of(const lar_tensor *w) {
  int64_t n = lar_tensor_numel(w), rows = w->ndim > 1 ? w->shape[0] : 1;
  lar_tensor m = *w;
  m.ndim = 2;
  m.shape[0] = rows;
  m.shape[1] = rows > 0 ? n / rows : 0;
  m.stride[0] = m.shape[1];
  m.stride[1] = 1;
  return m;
}

static inline lar_tensor lar_matrix_turned(const lar_tensor *a) {
  lar_tensor m = *a;
  m.shape[0] = a->shape[1], m.shape[1] = a->shape[0];
  m.stride[0] = a->stride[1], m.stride[1] = a->stride[0];
  return m;
}

#endif
