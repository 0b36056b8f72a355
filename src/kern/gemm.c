#include "kern/gemm.h"

#include <cblas.h>
#include <limits.h>

#include "kern/copy.h"
#include "kern/gemv.h"
#include "kern/loop.h"
#include "kern/tiles.h"

typedef struct side {
  const void *data;
  lar_tensor own; /* a copy, where BLAS cannot read the matrix itself */
  CBLAS_TRANSPOSE trans;
  int ld;
} side;

/* A matrix as BLAS can read it: unit stride along rows or along columns. */
static lar_status prepare(side *s, const lar_tensor *t) {
  int64_t rows = t->shape[0], cols = t->shape[1], rs = t->stride[0], cs = t->stride[1];
  bool by_row = (cs == 1 || cols == 1) && (rs >= cols || rows == 1);
  bool by_col = (rs == 1 || rows == 1) && (cs >= rows || cols == 1);
  int64_t ld;
  s->trans = CblasNoTrans;
  s->data = lar_tensor_data(t);
  if (by_row) {
    ld = rows == 1 ? cols : rs;
  } else if (by_col) {
    s->trans = CblasTrans;
    ld = cols == 1 ? rows : cs;
  } else {
    LAR_TRY(lar_clone(&s->own, t, t->dtype));
    s->data = lar_tensor_data(&s->own);
    ld = cols;
  }
  if (ld < 1) ld = 1;
  if (rows > INT_MAX || cols > INT_MAX || ld > INT_MAX)
    return lar_fail(LAR_ESHAPE, "%s is larger than BLAS can address", lar_tensor_text(t));
  s->ld = (int)ld;
  return LAR_OK;
}

/* One call of BLAS on rows [from, from + m) of the product. */
static void product(const lar_tensor *c, const side *x, const side *y, int from, int m, int n,
                    int k, double alpha, double beta) {
  int64_t skip = (int64_t)from * (x->trans == CblasNoTrans ? x->ld : 1);
  size_t size = lar_dtype_size(c->dtype);
  const char *a = (const char *)x->data + (size_t)skip * size;
  char *to = (char *)lar_tensor_data(c) + (size_t)from * (size_t)n * size;
  const void *b = y->data;
  if (c->dtype == LAR_F32)
    cblas_sgemm(CblasRowMajor, x->trans, y->trans, m, n, k, (float)alpha, (const void *)a,
                x->ld, b, y->ld, (float)beta, (void *)to, n);
  else
    cblas_dgemm(CblasRowMajor, x->trans, y->trans, m, n, k, alpha, (const void *)a, x->ld, b,
                y->ld, beta, (void *)to, n);
}

/* OpenBLAS wakes its threads for products of more than 2^18 multiplications, which at that
 * size costs more than it saves; up to 2^23 it gets them in pieces that stay below. */
static int piece(int m, int n, int k) {
  const double few = 1 << 18, many = 1 << 23;
  double each = (double)n * k;
  if (each * m <= few || each * m > many || each * 8 > few) return m;
  return (int)(few / each);
}

static lar_grid grid(const lar_tensor *t) {
  return (lar_grid){lar_tensor_data(t), t->stride[0], t->stride[1]};
}

lar_status lar_gemm(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b, double alpha,
                    double beta) {
  if (lar_gemv(c, a, b, alpha, beta)) return LAR_OK;
  bool wide = c->dtype == LAR_F64;
  lar_product p = {c->shape[0], c->shape[1], a->shape[1], grid(a), grid(b), grid(c)};
  if (alpha == 1 && beta == 0 && (wide ? lar_tiles_take_f64 : lar_tiles_take_f32)(&p))
    return (wide ? lar_tiles_run_f64 : lar_tiles_run_f32)(&p);
  side x, y;
  x.own.storage = y.own.storage = NULL;
  lar_status st = prepare(&x, a);
  if (st == LAR_OK) st = prepare(&y, b);
  int m = (int)c->shape[0], n = (int)c->shape[1], k = (int)a->shape[1];
  if (st == LAR_OK && m > 0 && n > 0) {
    int rows = piece(m, n, k);
    if (k == 0) lar_fill(c, 0);
    for (int at = 0; k > 0 && at < m; at += rows)
      product(c, &x, &y, at, m - at < rows ? m - at : rows, n, k, alpha, beta);
  }
  lar_tensor_clear(&x.own);
  lar_tensor_clear(&y.own);
  return st;
}

/* ---- and what comes after ---- */

typedef struct rest {
  const lar_tensor *c;
  const lar_after *after;
} rest;

static void finish(void *ctx, int64_t begin, int64_t end) {
  const rest *r = ctx;
  int64_t n = r->c->shape[1];
  char *at = lar_tensor_data(r->c);
  at += begin * n * (int64_t)lar_dtype_size(r->c->dtype);
  (r->c->dtype == LAR_F32 ? lar_after_block_f32 : lar_after_block_f64)(r->after, begin, 0,
                                                                       end - begin, n, at, n);
}

lar_status lar_gemm_then(const lar_tensor *c, const lar_tensor *a, const lar_tensor *b,
                         const lar_after *after) {
  rest r = {c, after};
  int64_t m = c->shape[0], n = c->shape[1];
  LAR_TRY(lar_gemm(c, a, b, 1, 0));
  if (m * n == 0 || (after->bias == NULL && after->sign == NULL)) return LAR_OK;
  int64_t rows = lar_loop_grain(m * n) / n;
  lar_par_for(m, rows > 0 ? rows : 1, finish, &r);
  return LAR_OK;
}

/* ---- some rows at a time ---- */

static lar_product rows_of(const lar_tensor *a, const lar_tensor *b) {
  lar_grid c = {NULL, b->shape[1], 1};
  return (lar_product){a->shape[0], b->shape[1], a->shape[1], grid(a), grid(b), c};
}

size_t lar_gemm_rows_room(const lar_tensor *a, const lar_tensor *b) {
  lar_product p = rows_of(a, b);
  bool wide = a->dtype == LAR_F64;
  if (p.m == 1 || p.n == 1 || p.k > LAR_TILES_FEW || (a->stride[0] != 1 && a->stride[1] != 1) ||
      !(wide ? lar_tiles_take_f64 : lar_tiles_take_f32)(&p))
    return 0;
  return (size_t)(wide ? lar_tiles_room_f64 : lar_tiles_room_f32)(&p) *
         lar_dtype_size(a->dtype);
}

void lar_gemm_rows_pack(const lar_tensor *a, const lar_tensor *b, void *packed) {
  lar_product p = rows_of(a, b);
  (a->dtype == LAR_F64 ? lar_tiles_pack_f64 : lar_tiles_pack_f32)(&p, packed);
}

void lar_gemm_rows(const lar_tensor *a, const lar_tensor *b, const void *packed, int64_t from,
                   int64_t n, void *to) {
  lar_product p = rows_of(a, b);
  (a->dtype == LAR_F64 ? lar_tiles_rows_f64 : lar_tiles_rows_f32)(&p, packed, from, n, to);
}
