#include <string.h>

#include "kern/copy.h"
#include "kern/gemm.h"
#include "penalty/matrix.h"

typedef struct none {
  char unused;
} none;

/* G - I, G the smaller of W W^T and W^T W. */
static lar_status gap(lar_tensor *out, const lar_tensor *w) {
  lar_tensor a = lar_matrix_of(w), b = lar_matrix_turned(&a);
  bool tall = a.shape[0] > a.shape[1];
  int64_t k = tall ? a.shape[1] : a.shape[0], size[2] = {k, k};
  LAR_TRY(lar_tensor_init(out, w->dtype, 2, size));
  lar_status st = tall ? lar_gemm(out, &b, &a, 1, 0) : lar_gemm(out, &a, &b, 1, 0);
  for (int64_t i = 0; st == LAR_OK && i < k; i++) {
    int64_t at = i * (k + 1);
    lar_tensor_put(out, at, lar_tensor_get(out, at) - 1);
  }
  if (st != LAR_OK) lar_tensor_clear(out);
  return st;
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  lar_tensor g = {0};
  double sum = 0;
  *out = 0;
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  LAR_TRY(gap(&g, w));
  for (int64_t i = 0, n = lar_tensor_numel(&g); i < n; i++) {
    double d = lar_tensor_get(&g, i);
    sum += d * d;
  }
  lar_tensor_clear(&g);
  *out = at->l / 2 * sum;
  return LAR_OK;
}

/* 2 l (G - I) W, or W (G - I) */
static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *to) {
  lar_tensor g = {0}, a = lar_matrix_of(w), sum = lar_matrix_of(to);
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  LAR_TRY(gap(&g, w));
  lar_status st = a.shape[0] > a.shape[1] ? lar_gemm(&sum, &a, &g, 2 * at->l, 1)
                                          : lar_gemm(&sum, &g, &a, 2 * at->l, 1);
  lar_tensor_clear(&g);
  return st;
}

LAR_ENTRY(penalty, orthogonal) = {
  .name = "orthogonal",
  .doc = "rows (or columns, whichever are fewer) pulled to be orthonormal",
  .source = "Brock, Lim, Ritchie & Weston 2017, ICLR; soft form: Bansal, Chen & Wang 2018, "
            "NeurIPS 31",
  .formula = "lambda/2 |W^T W - I|_F^2 (the smaller Gram matrix)",
  .size = sizeof(none),
  .traits = LAR_SMOOTH,
  .value = value,
  .grad = grad,
};
