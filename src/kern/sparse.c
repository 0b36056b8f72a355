/* Matrices in compressed columns: making them. What solvers do with them is in solver/. */
#include "kern/sparse.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"

static size_t width(lar_dtype dtype) { return (size_t)lar_dtype_size(dtype); }

lar_status lar_sparse_new(lar_sparse **out, lar_dtype dtype, int64_t n, int64_t p,
                          int64_t nnz) {
  *out = NULL;
  if (dtype != LAR_F32 && dtype != LAR_F64)
    return lar_fail(LAR_EDTYPE, "sparse: entries must be float32 or float64, not %s",
                    lar_dtype_name(dtype));
  if (n < 0 || p < 0 || n >= INT32_MAX || p >= INT32_MAX)
    return lar_fail(LAR_ESHAPE, "sparse: shape (%lld, %lld); sizes must be below 2^31",
                    (long long)n, (long long)p);
  lar_sparse *s = NULL;
  LAR_TRY(lar_alloc((void **)&s, 1, sizeof *s));
  *s = (lar_sparse){.refs = 1, .n = n, .p = p, .dtype = dtype};
  lar_status st = lar_alloc((void **)&s->start, (size_t)p + 1, sizeof *s->start);
  if (st == LAR_OK) st = lar_alloc_raw((void **)&s->index, (size_t)nnz + 1, sizeof *s->index);
  if (st == LAR_OK) st = lar_alloc_raw(&s->value, (size_t)nnz + 1, width(dtype));
  if (st == LAR_OK)
    *out = s;
  else
    lar_sparse_unref(s);
  return st;
}

lar_sparse *lar_sparse_ref(lar_sparse *s) {
  __atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
  return s;
}

void lar_sparse_unref(lar_sparse *s) {
  if (s == NULL || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0) return;
  lar_free(s->start);
  lar_free(s->index);
  lar_free(s->value);
  lar_free(s);
}

static double entry(const lar_sparse *s, int64_t k) {
  return s->dtype == LAR_F32 ? (double)((const float *)s->value)[k]
                             : ((const double *)s->value)[k];
}

static void put(const lar_sparse *s, int64_t k, double v) {
  if (s->dtype == LAR_F32)
    ((float *)s->value)[k] = (float)v;
  else
    ((double *)s->value)[k] = v;
}

/* The transpose by counting: its rows come out rising, whatever order a's were in. */
static lar_status transposed(lar_sparse **out, const lar_sparse *a) {
  int64_t nnz = lar_sparse_nnz(a);
  LAR_TRY(lar_sparse_new(out, a->dtype, a->p, a->n, nnz));
  lar_sparse *t = *out;
  for (int64_t k = 0; k < nnz; k++) t->start[a->index[k] + 1]++;
  for (int64_t i = 0; i < t->p; i++) t->start[i + 1] += t->start[i];
  for (int64_t j = 0; j < a->p; j++)
    for (int64_t k = a->start[j]; k < a->start[j + 1]; k++) {
      int64_t to = t->start[a->index[k]]++;
      t->index[to] = (int32_t)j;
      put(t, to, entry(a, k));
    }
  memmove(t->start + 1, t->start, (size_t)t->p * sizeof *t->start);
  t->start[0] = 0;
  return LAR_OK;
}

/* Entries of one place, which are neighbours, become their sum. */
static void merge(lar_sparse *s) {
  int64_t to = 0;
  for (int64_t j = 0; j < s->p; j++) {
    int64_t from = s->start[j], end = s->start[j + 1];
    s->start[j] = to;
    for (int64_t k = from; k < end; k++) {
      if (to > s->start[j] && s->index[to - 1] == s->index[k]) {
        put(s, to - 1, entry(s, to - 1) + entry(s, k));
      } else {
        s->index[to] = s->index[k];
        put(s, to++, entry(s, k));
      }
    }
  }
  s->start[s->p] = to;
}

static bool rising(const lar_sparse *s) {
  for (int64_t j = 0; j < s->p; j++)
    for (int64_t k = s->start[j] + 1; k < s->start[j + 1]; k++)
      if (s->index[k] <= s->index[k - 1]) return false;
  return true;
}

/* A copy of what was given as it stands: `outer` compressed columns of `inner` rows. */
static lar_status as_given(lar_sparse **out, int64_t inner, int64_t outer,
                           const lar_tensor *along, const lar_tensor *index,
                           const lar_tensor *value) {
  int64_t nnz = lar_tensor_numel(value);
  if (lar_tensor_numel(along) != outer + 1 || lar_tensor_numel(index) != nnz)
    return lar_fail(LAR_ESHAPE,
                    "sparse: %lld pointers, %lld indices and %lld values; %lld pointers and as "
                    "many indices as values are needed",
                    (long long)lar_tensor_numel(along), (long long)lar_tensor_numel(index),
                    (long long)nnz, (long long)outer + 1);
  LAR_TRY(lar_sparse_new(out, value->dtype, inner, outer, nnz));
  lar_sparse *s = *out;
  const int64_t *from = lar_tensor_data(along), *at = lar_tensor_data(index);
  for (int64_t j = 0; j <= outer; j++) {
    if (j == 0 ? from[0] != 0 : from[j] < from[j - 1] || (j == outer && from[j] != nnz))
      return lar_fail(LAR_EARG, "sparse: pointer %lld is %lld; they rise from 0 to %lld",
                      (long long)j + 1, (long long)from[j], (long long)nnz);
    s->start[j] = from[j];
  }
  for (int64_t k = 0; k < nnz; k++) {
    if (at[k] < 0 || at[k] >= inner)
      return lar_fail(LAR_EARG, "sparse: index %lld of entry %lld is not in 0..%lld",
                      (long long)at[k], (long long)k + 1, (long long)inner - 1);
    s->index[k] = (int32_t)at[k];
  }
  memcpy(s->value, lar_tensor_data(value), (size_t)nnz * width(s->dtype));
  return LAR_OK;
}

/* *s, replaced by its transpose. */
static lar_status turn(lar_sparse **s) {
  lar_sparse *t = NULL;
  lar_status st = transposed(&t, *s);
  lar_sparse_unref(*s);
  *s = t;
  return st;
}

lar_status lar_sparse_from(lar_sparse **out, int64_t n, int64_t p, const lar_tensor *along,
                           const lar_tensor *index, const lar_tensor *value, bool rows) {
  lar_sparse *s = NULL;
  lar_status st = as_given(&s, rows ? p : n, rows ? n : p, along, index, value);
  bool sorted = st == LAR_OK && !rows && rising(s);
  for (int turns = sorted ? 0 : rows ? 1 : 2; turns > 0 && st == LAR_OK; turns--) st = turn(&s);
  if (st == LAR_OK && !sorted) merge(s);
  *out = st == LAR_OK ? s : NULL;
  if (st != LAR_OK) lar_sparse_unref(s);
  return st;
}

/* ---- dense ---- */

lar_status lar_sparse_from_dense(lar_sparse **out, const lar_tensor *a) {
  *out = NULL;
  if (a->ndim != 2)
    return lar_fail(LAR_ESHAPE, "sparse: a tensor of shape %s; a matrix (n, p) is needed",
                    lar_tensor_text(a));
  int64_t nnz = 0, n = a->shape[0], p = a->shape[1];
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < p; j++)
      nnz += lar_tensor_get(a, i * a->stride[0] + j * a->stride[1]) != 0;
  lar_dtype dtype = a->dtype == LAR_F64 ? LAR_F64 : LAR_F32;
  LAR_TRY(lar_sparse_new(out, dtype, n, p, nnz));
  lar_sparse *s = *out;
  for (int64_t j = 0, k = 0; j < p; j++) {
    for (int64_t i = 0; i < n; i++) {
      double v = lar_tensor_get(a, i * a->stride[0] + j * a->stride[1]);
      if (v == 0) continue;
      s->index[k] = (int32_t)i;
      put(s, k++, v);
    }
    s->start[j + 1] = k;
  }
  return LAR_OK;
}

lar_status lar_sparse_to_dense(lar_tensor *out, const lar_sparse *s) {
  int64_t shape[2] = {s->n, s->p};
  LAR_TRY(lar_tensor_zeros(out, s->dtype, 2, shape));
  for (int64_t j = 0; j < s->p; j++)
    for (int64_t k = s->start[j]; k < s->start[j + 1]; k++)
      lar_tensor_put(out, s->index[k] * s->p + j, entry(s, k));
  return LAR_OK;
}

/* ---- rows, products ---- */

/* Where each row of s goes: to[i], or -1; LAR_EARG for a row out of range or listed twice. */
static lar_status places(const lar_sparse *s, const int64_t *rows, int64_t m, int64_t *to) {
  for (int64_t i = 0; i < s->n; i++) to[i] = -1;
  for (int64_t k = 0; k < m; k++) {
    if (rows[k] < 0 || rows[k] >= s->n)
      return lar_fail(LAR_EARG, "rows: row %lld is not in 1..%lld", (long long)rows[k] + 1,
                      (long long)s->n);
    if (to[rows[k]] >= 0)
      return lar_fail(LAR_EARG, "rows: row %lld is listed twice", (long long)rows[k] + 1);
    to[rows[k]] = k;
  }
  return LAR_OK;
}

lar_status lar_sparse_rows(lar_sparse **out, const lar_sparse *s, const int64_t *rows,
                           int64_t m) {
  int64_t *to = NULL, nnz = 0;
  lar_sparse *picked = NULL;
  *out = NULL;
  LAR_TRY(lar_alloc_raw((void **)&to, (size_t)s->n + 1, sizeof *to));
  lar_status st = places(s, rows, m, to);
  if (st != LAR_OK) goto done;
  for (int64_t k = 0; k < lar_sparse_nnz(s); k++) nnz += to[s->index[k]] >= 0;
  LAR_GO(lar_sparse_new(&picked, s->dtype, m, s->p, nnz));
  for (int64_t j = 0, at = 0; j < s->p; j++) {
    for (int64_t k = s->start[j]; k < s->start[j + 1]; k++) {
      if (to[s->index[k]] < 0) continue;
      picked->index[at] = (int32_t)to[s->index[k]];
      put(picked, at++, entry(s, k));
    }
    picked->start[j + 1] = at;
  }
  for (int turns = rising(picked) ? 0 : 2; turns > 0 && st == LAR_OK; turns--)
    st = turn(&picked);
done:
  if (st == LAR_OK)
    *out = picked;
  else
    lar_sparse_unref(picked);
  lar_free(to);
  return st;
}

void lar_sparse_mv(const lar_sparse *s, const double *b, double *out, bool transpose) {
  if (!transpose) memset(out, 0, (size_t)s->n * sizeof *out);
  for (int64_t j = 0; j < s->p; j++) {
    double sum = 0;
    for (int64_t k = s->start[j]; k < s->start[j + 1]; k++) {
      if (transpose)
        sum += entry(s, k) * b[s->index[k]];
      else
        out[s->index[k]] += entry(s, k) * b[j];
    }
    if (transpose) out[j] = sum;
  }
}
