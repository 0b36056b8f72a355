#include "io/column.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

/* What a walk over the rows learns of one column. */
typedef struct tally {
  double n, sum, square, lo, hi;
} tally;

static double at(const void *data, lar_dtype t, int64_t k) {
  return t == LAR_F32 ? (double)((const float *)data)[k] : ((const double *)data)[k];
}

static void put(void *data, lar_dtype t, int64_t k, double v) {
  if (t == LAR_F32)
    ((float *)data)[k] = (float)v;
  else
    ((double *)data)[k] = v;
}

static void sums(const lar_tensor *x, int64_t p, tally *of) {
  int64_t n = lar_tensor_numel(x);
  const void *data = lar_tensor_data(x);
  for (int64_t k = 0, j = 0; k < n; k++, j = j + 1 < p ? j + 1 : 0) {
    double v = at(data, x->dtype, k);
    if (isnan(v)) continue;
    tally *c = &of[j];
    c->lo = c->n == 0 || v < c->lo ? v : c->lo;
    c->hi = c->n == 0 || v > c->hi ? v : c->hi;
    c->n++;
    c->sum += v;
  }
}

static void squares(const lar_tensor *x, int64_t p, tally *of, const double *mean) {
  int64_t n = lar_tensor_numel(x);
  const void *data = lar_tensor_data(x);
  for (int64_t k = 0, j = 0; k < n; k++, j = j + 1 < p ? j + 1 : 0) {
    double d = at(data, x->dtype, k) - mean[j];
    if (!isnan(d)) of[j].square += d * d;
  }
}

lar_status lar_column_moments(const lar_tensor *x, int64_t p, double *mean, double *std,
                              int64_t *empty) {
  void *block;
  LAR_TRY(lar_alloc(&block, (size_t)p + 1, sizeof(tally)));
  tally *of = block;
  *empty = -1;
  sums(x, p, of);
  for (int64_t j = 0; j < p; j++) {
    if (of[j].n == 0 && *empty < 0) *empty = j;
    mean[j] = of[j].lo == of[j].hi ? of[j].lo : of[j].sum / of[j].n;
  }
  squares(x, p, of, mean);
  for (int64_t j = 0; j < p; j++)
    std[j] = of[j].lo == of[j].hi ? 1 : sqrt(of[j].square / of[j].n);
  lar_free(block);
  return LAR_OK;
}

void lar_column_scale(const lar_tensor *out, const lar_tensor *x, int64_t p, const double *mean,
                      const double *std, bool back) {
  int64_t n = lar_tensor_numel(x);
  const void *from = lar_tensor_data(x);
  void *to = lar_tensor_data(out);
  for (int64_t k = 0, j = 0; k < n; k++, j = j + 1 < p ? j + 1 : 0) {
    double v = at(from, x->dtype, k);
    put(to, out->dtype, k, back ? v * std[j] + mean[j] : (v - mean[j]) / std[j]);
  }
}

void lar_column_fill(const lar_tensor *x, int64_t p, const double *mean) {
  int64_t n = lar_tensor_numel(x);
  void *data = lar_tensor_data(x);
  for (int64_t k = 0, j = 0; k < n; k++, j = j + 1 < p ? j + 1 : 0)
    if (isnan(at(data, x->dtype, k))) put(data, x->dtype, k, mean[j]);
}
