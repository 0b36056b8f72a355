/*
 * kern/sparse - matrices in compressed columns.
 *
 * Floor:    kern.
 * Contract: column j holds value[start[j]..start[j + 1]) in the rows index[...], 0-based and
 *           rising, none twice. Counted and immutable.
 */
#ifndef LAR_KERN_SPARSE_H
#define LAR_KERN_SPARSE_H

#include "core/tensor.h"

typedef struct lar_sparse {
  int refs;
  int64_t n, p; /* rows (below 2^31), columns */
  lar_dtype dtype;
  int64_t *start;
  int32_t *index;
  void *value; /* of dtype: float32 or float64 */
} lar_sparse;

/* Room for nnz entries; start, index and value are to be filled in. */
lar_status lar_sparse_new(lar_sparse **out, lar_dtype dtype, int64_t n, int64_t p, int64_t nnz);
lar_sparse *lar_sparse_ref(lar_sparse *s);
void lar_sparse_unref(lar_sparse *s);
static inline int64_t lar_sparse_nnz(const lar_sparse *s) { return s->start[s->p]; }

/* From 1-D tensors: `along` (compressed: p + 1, or n + 1 for rows), `index` (nnz, 0-based) both
 * int64, `value` (nnz). Entries may come in any order; duplicates add up. LAR_EARG names what
 * is out of range. rows: the input is compressed by rows. */
lar_status lar_sparse_from(lar_sparse **out, int64_t n, int64_t p, const lar_tensor *along,
                           const lar_tensor *index, const lar_tensor *value, bool rows);

/* From and to a dense matrix (n, p). */
lar_status lar_sparse_from_dense(lar_sparse **out, const lar_tensor *a);
lar_status lar_sparse_to_dense(lar_tensor *out, const lar_sparse *s);

/* The rows listed (0-based, each at most once), in that order. */
lar_status lar_sparse_rows(lar_sparse **out, const lar_sparse *s, const int64_t *rows,
                           int64_t m);

/* out (n) = s b, or with `transpose` out (p) = s' b; float64. */
void lar_sparse_mv(const lar_sparse *s, const double *b, double *out, bool transpose);

#endif
