/* Rows of tensors: batches, and a look for values that are not numbers. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"
#include "train/fit.h"

void lar_batch_clear(lar_batch *b) {
  lar_var_unref(b->x);
  lar_var_unref(b->y);
  lar_var_unref(b->weight);
  *b = (lar_batch){0};
}

static lar_tensor part_of(const lar_tensor *t, int64_t begin, int64_t end) {
  lar_tensor part = *t;
  part.shape[0] = end - begin;
  part.offset += begin * t->stride[0];
  return part;
}

typedef struct gathering {
  const int64_t *order;
  const char *from;
  char *to;
  size_t row;
} gathering;

/* Rows so short that calling memcpy would be most of the work: words, a constant where it is
 * called, the last of which may overlap the one before. */
static inline __attribute__((always_inline)) void
by_words(const size_t word, const gathering *g, int64_t begin, int64_t end) {
  const size_t row = g->row, last = row - word;
  char *to = g->to + (size_t)begin * row;
  for (int64_t k = begin; k < end; k++, to += row) {
    const char *from = g->from + (size_t)g->order[k] * row;
    for (size_t at = 0; at < last; at += word) memcpy(to + at, from + at, word);
    memcpy(to + last, from + last, word);
  }
}

static void gather_rows(void *ctx, int64_t begin, int64_t end) {
  enum { LEAST = 4, SHORT = 256 };
  const gathering *g = ctx;
  if (g->row < LEAST || g->row > SHORT)
    for (int64_t k = begin; k < end; k++)
      memcpy(g->to + (size_t)k * g->row, g->from + (size_t)g->order[k] * g->row, g->row);
  else if (g->row < 8)
    by_words(4, g, begin, end);
  else if (g->row < 16)
    by_words(8, g, begin, end);
  else if (g->row < 32)
    by_words(16, g, begin, end);
  else
    by_words(32, g, begin, end);
}

static lar_status gather(const lar_tensor *to, const lar_tensor *t, const int64_t *order) {
  enum { MANY = 64 << 10 }; /* bytes that are worth another thread */
  lar_tensor whole = {0};
  LAR_TRY(lar_contiguous(&whole, t, t->dtype));
  size_t row = (size_t)lar_shape_numel(t->ndim - 1, t->shape + 1) * lar_dtype_size(t->dtype);
  gathering g = {order, lar_tensor_data(&whole), lar_tensor_data(to), row};
  if ((size_t)to->shape[0] * row >= MANY)
    lar_par_shares(to->shape[0], gather_rows, &g);
  else
    gather_rows(&g, 0, to->shape[0]);
  lar_tensor_clear(&whole);
  return LAR_OK;
}

double lar_batch_rows(const lar_batch *b) {
  double n = b->x->t.ndim > 0 ? (double)b->x->t.shape[0] : 1;
  if (b->weight == NULL) return n;
  double sum = 0;
  for (int64_t i = 0; i < (int64_t)n; i++)
    sum += lar_tensor_get(&b->weight->t, i * b->weight->t.stride[0]);
  return sum;
}

lar_status lar_rows(lar_tensor *out, const lar_tensor *t, const int64_t *order, int64_t begin,
                    int64_t end) {
  lar_tensor part = part_of(t, begin, end);
  if (order == NULL) { /* a view */
    lar_tensor_ref(out, &part);
    return LAR_OK;
  }
  LAR_TRY(lar_tensor_init(out, t->dtype, t->ndim, part.shape));
  lar_status st = gather(out, t, order + begin);
  if (st != LAR_OK) lar_tensor_clear(out);
  return st;
}

/* Is there a batch of so many rows that nobody holds any more? */
static bool is_free(const lar_var *v, const lar_tensor *t, bool copied, int64_t rows) {
  return v != NULL && v->refs == 1 && v->t.shape[0] == rows && v->grad == NULL &&
         (copied ? lar_storage_refs(v->t.storage) == 1 : v->t.storage == t->storage);
}

lar_status lar_rows_again(lar_var **slot, const lar_tensor *t, const int64_t *order,
                          int64_t begin, int64_t end) {
  lar_tensor fresh = {0};
  if (is_free(*slot, t, order != NULL, end - begin)) {
    if (order != NULL) return gather(&(*slot)->t, t, order + begin);
    (*slot)->t.offset = t->offset + begin * t->stride[0];
    return LAR_OK;
  }
  lar_var_unref(*slot);
  *slot = NULL;
  LAR_TRY(lar_rows(&fresh, t, order, begin, end));
  lar_status st = lar_var_new(slot, &fresh);
  lar_tensor_clear(&fresh);
  return st;
}

lar_status lar_check_finite(const char *what, const lar_tensor *t) {
  if (!lar_dtype_is_float(t->dtype) || t->ndim == 0) return LAR_OK;
  lar_tensor flat = {0};
  LAR_TRY(lar_contiguous(&flat, t, t->dtype));
  int64_t n = lar_tensor_numel(t), cols = t->shape[0] > 0 ? n / t->shape[0] : 0, bad = -1;
  if (t->dtype == LAR_F32) {
    const float *x = lar_tensor_data(&flat);
    for (int64_t i = 0; i < n && bad < 0; i++)
      if (!isfinite(x[i])) bad = i;
  } else {
    const double *x = lar_tensor_data(&flat);
    for (int64_t i = 0; i < n && bad < 0; i++)
      if (!isfinite(x[i])) bad = i;
  }
  lar_status st = LAR_OK;
  if (bad >= 0) {
    double v = lar_tensor_get(&flat, bad);
    st = lar_fail(
      LAR_EARG, "%s has %g in column %lld (row %lld); drop or fill such values first", what,
      isnan(v) ? (double)NAN : v, (long long)(bad % cols + 1), (long long)(bad / cols + 1));
  }
  lar_tensor_clear(&flat);
  return st;
}
