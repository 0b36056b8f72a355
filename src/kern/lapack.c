#include "kern/lapack.h"

#include <limits.h>
#include <math.h>

#include "core/mem.h"
#include "kern/copy.h"

/* Fortran's routines, single and double, by hand: there is no header without LAPACKE. A
 * hidden length follows for each character argument. */
#define ROUTINE(name, ...)      \
  void s##name##_(__VA_ARGS__); \
  void d##name##_(__VA_ARGS__);
typedef const int *in;
typedef const char *letter;
ROUTINE(gesdd, letter, in, in, void *, in, void *, void *, in, void *, in, void *, in, int *,
        int *, size_t)
ROUTINE(syevd, letter, letter, in, void *, in, void *, void *, in, int *, in, int *, size_t,
        size_t)
ROUTINE(geqrf, in, in, void *, in, void *, void *, in, int *)
ROUTINE(orgqr, in, in, in, void *, in, const void *, void *, in, int *)
ROUTINE(potrf, letter, in, void *, in, int *, size_t)
ROUTINE(gesv, in, in, void *, in, int *, void *, in, int *)
ROUTINE(getrf, in, in, void *, in, int *, int *)
ROUTINE(trtrs, letter, letter, letter, in, in, const void *, in, void *, in, int *, size_t,
        size_t, size_t)
#define CALL(t, name) ((t) == LAR_F32 ? s##name##_ : d##name##_)

/* ---- matrices as Fortran has them ---- */

typedef struct matrix {
  lar_tensor t; /* (m, n) with columns in one piece; owned */
  void *p;
  int m, n, ld;
} matrix;

static lar_status matrix_new(matrix *a, lar_dtype t, int64_t m, int64_t n) {
  if (m > INT_MAX || n > INT_MAX || m * n > INT_MAX)
    return lar_fail(LAR_ESHAPE, "a matrix of %lld x %lld is larger than LAPACK can address",
                    (long long)m, (long long)n);
  LAR_TRY(lar_tensor_init(&a->t, t, 2, (int64_t[]){n, m}));
  a->t.shape[0] = m, a->t.shape[1] = n;
  a->t.stride[0] = 1, a->t.stride[1] = m > 0 ? m : 1;
  a->p = lar_tensor_data(&a->t);
  a->m = (int)m, a->n = (int)n, a->ld = m > 0 ? (int)m : 1;
  return LAR_OK;
}

static bool all_finite(const matrix *a) {
  int64_t n = (int64_t)a->m * a->n;
  double sum = 0; /* 0 times anything finite is 0 */
  if (a->t.dtype == LAR_F32)
    for (int64_t i = 0; i < n; i++) sum += (double)(((const float *)a->p)[i] * 0);
  else
    for (int64_t i = 0; i < n; i++) sum += ((const double *)a->p)[i] * 0;
  return sum == 0;
}

static lar_status matrix_from(matrix *a, const lar_tensor *src) {
  LAR_TRY(matrix_new(a, src->dtype, src->shape[0], src->shape[1]));
  LAR_TRY(lar_copy(&a->t, src));
  return all_finite(a) ? LAR_OK
                       : lar_fail(LAR_EMATH, "a matrix of shape %s holds NaN or infinity",
                                  lar_tensor_text(src));
}

static lar_status square(const lar_tensor *a) {
  return a->shape[0] == a->shape[1]
           ? LAR_OK
           : lar_fail(LAR_ESHAPE, "%s is not square", lar_tensor_text(a));
}

/* The mean of a square matrix and its transpose. */
static lar_status matrix_symmetric(matrix *a, const lar_tensor *src) {
  LAR_TRY(square(src));
  LAR_TRY(matrix_from(a, src));
  for (int64_t i = 0; i < a->m; i++)
    for (int64_t j = 0; j < i; j++) {
      double x = lar_tensor_get(&a->t, i + j * a->ld), y = lar_tensor_get(&a->t, j + i * a->ld);
      double mean = x == y ? x : 0.5 * x + 0.5 * y;
      lar_tensor_put(&a->t, i + j * a->ld, mean);
      lar_tensor_put(&a->t, j + i * a->ld, mean);
    }
  return LAR_OK;
}

/* Workspace of the size that a first call left in query (of dtype t). */
static lar_status workspace(void **work, int *lwork, lar_dtype t, const double *query) {
  double n = t == LAR_F32 ? (double)*(const float *)(const void *)query : *query;
  *lwork = n < 1 ? 1 : n > INT_MAX ? INT_MAX : (int)n;
  return lar_alloc_raw(work, (size_t)*lwork, lar_dtype_size(t));
}

static lar_status broken(const char *what, int info) {
  return lar_fail(LAR_EMATH, "%s (LAPACK says %d)", what, info);
}

/* ---- the factorisations ---- */

static lar_status svd(matrix *a, matrix *u, matrix *vt, lar_tensor *s) {
  lar_dtype t = a->t.dtype;
  int k = a->m < a->n ? a->m : a->n, lwork = -1, info = 0;
  double query = 0;
  void *work = NULL, *iwork = NULL;
  lar_status st = LAR_OK;
  LAR_GO(lar_alloc_raw(&iwork, (size_t)k * 8 + 1, sizeof(int)));
  for (int pass = 0; pass < 2; pass++) {
    CALL(t, gesdd)
    ("S", &a->m, &a->n, a->p, &a->ld, lar_tensor_data(s), u->p, &u->ld, vt->p, &vt->ld,
     pass ? work : &query, &lwork, iwork, &info, 1);
    if (pass == 0) LAR_GO(workspace(&work, &lwork, t, &query));
  }
  if (info != 0) st = broken("the singular values did not converge", info);
done:
  lar_free(work);
  lar_free(iwork);
  return st;
}

lar_status lar_lapack_svd(const lar_tensor *u, const lar_tensor *s, const lar_tensor *v,
                          const lar_tensor *a) {
  matrix x = {0}, left = {0}, right = {0};
  lar_tensor values = {0}, turned = *v;
  int64_t k = s->shape[0];
  lar_status st = LAR_OK;
  LAR_GO(matrix_from(&x, a));
  LAR_GO(matrix_new(&left, a->dtype, x.m, k));
  LAR_GO(matrix_new(&right, a->dtype, k, x.n));
  LAR_GO(lar_tensor_init(&values, a->dtype, 1, &k));
  if (k > 0) LAR_GO(svd(&x, &left, &right, &values));
  turned.shape[0] = v->shape[1], turned.stride[0] = v->stride[1];
  turned.shape[1] = v->shape[0], turned.stride[1] = v->stride[0];
  LAR_GO(lar_copy(u, &left.t));
  LAR_GO(lar_copy(s, &values));
  LAR_GO(lar_copy(&turned, &right.t));
done:
  lar_tensor_clear(&x.t);
  lar_tensor_clear(&left.t);
  lar_tensor_clear(&right.t);
  lar_tensor_clear(&values);
  return st;
}

static lar_status eigh(matrix *a, lar_tensor *w) {
  lar_dtype t = a->t.dtype;
  int lwork = -1, liwork = -1, iquery = 0, info = 0;
  double query = 0;
  void *work = NULL, *iwork = NULL;
  lar_status st = LAR_OK;
  for (int pass = 0; pass < 2; pass++) {
    CALL(t, syevd)
    ("V", "L", &a->n, a->p, &a->ld, lar_tensor_data(w), pass ? work : &query, &lwork,
     pass ? iwork : &iquery, &liwork, &info, 1, 1);
    if (pass > 0) break;
    LAR_GO(workspace(&work, &lwork, t, &query));
    liwork = iquery > 0 ? iquery : 1;
    LAR_GO(lar_alloc_raw(&iwork, (size_t)liwork, sizeof(int)));
  }
  if (info != 0) st = broken("the eigenvalues did not converge", info);
done:
  lar_free(work);
  lar_free(iwork);
  return st;
}

lar_status lar_lapack_eigh(const lar_tensor *w, const lar_tensor *v, const lar_tensor *a) {
  matrix x = {0};
  lar_tensor values = {0};
  lar_status st = LAR_OK;
  LAR_GO(matrix_symmetric(&x, a));
  LAR_GO(lar_tensor_init(&values, a->dtype, 1, a->shape));
  if (x.n > 0) LAR_GO(eigh(&x, &values));
  LAR_GO(lar_copy(w, &values));
  LAR_GO(lar_copy(v, &x.t));
done:
  lar_tensor_clear(&x.t);
  lar_tensor_clear(&values);
  return st;
}

/* Householder vectors in a become q's first k columns; r is taken out in between. */
static lar_status qr(matrix *a, const lar_tensor *r, void *tau, int k) {
  lar_dtype t = a->t.dtype;
  int lwork = -1, info = 0;
  double query = 0;
  void *work = NULL;
  lar_status st = LAR_OK;
  for (int pass = 0; pass < 2; pass++) {
    CALL(t, geqrf)(&a->m, &a->n, a->p, &a->ld, tau, pass ? work : &query, &lwork, &info);
    if (pass == 0) LAR_GO(workspace(&work, &lwork, t, &query));
  }
  lar_tensor top = a->t;
  top.shape[0] = k;
  LAR_GO(lar_copy(r, &top));
  lar_free(work);
  work = NULL;
  lwork = -1;
  for (int pass = 0; pass < 2; pass++) {
    CALL(t, orgqr)(&a->m, &k, &k, a->p, &a->ld, tau, pass ? work : &query, &lwork, &info);
    if (pass == 0) LAR_GO(workspace(&work, &lwork, t, &query));
  }
done:
  lar_free(work);
  return st;
}

/* Zeros below r's diagonal, and the signs that make the diagonal positive. */
static void qr_signs(const lar_tensor *q, const lar_tensor *r) {
  for (int64_t i = 0; i < r->shape[0]; i++) {
    double sign = lar_tensor_get(r, i * (r->stride[0] + r->stride[1])) < 0 ? -1 : 1;
    for (int64_t j = 0; j < r->shape[1]; j++) {
      int64_t at = i * r->stride[0] + j * r->stride[1];
      lar_tensor_put(r, at, j < i ? 0 : sign * lar_tensor_get(r, at));
    }
    for (int64_t j = 0; sign < 0 && j < q->shape[0]; j++) {
      int64_t at = j * q->stride[0] + i * q->stride[1];
      lar_tensor_put(q, at, -lar_tensor_get(q, at));
    }
  }
}

lar_status lar_lapack_qr(const lar_tensor *q, const lar_tensor *r, const lar_tensor *a) {
  matrix x = {0};
  void *tau = NULL;
  int k = (int)r->shape[0];
  lar_status st = LAR_OK;
  LAR_GO(matrix_from(&x, a));
  LAR_GO(lar_alloc_raw(&tau, (size_t)k + 1, lar_dtype_size(a->dtype)));
  if (k > 0) LAR_GO(qr(&x, r, tau, k));
  lar_tensor left = x.t;
  left.shape[1] = k;
  LAR_GO(lar_copy(q, &left));
  qr_signs(q, r);
done:
  lar_free(tau);
  lar_tensor_clear(&x.t);
  return st;
}

lar_status lar_lapack_cholesky(const lar_tensor *l, const lar_tensor *a) {
  matrix x = {0};
  int info = 0;
  lar_status st = LAR_OK;
  LAR_GO(matrix_symmetric(&x, a));
  if (x.n > 0) CALL(a->dtype, potrf)("L", &x.n, x.p, &x.ld, &info, 1);
  if (info != 0)
    LAR_GO(lar_fail(LAR_EMATH, "the leading minor of order %d is not positive", info));
  for (int64_t j = 1; j < x.n; j++)
    for (int64_t i = 0; i < j; i++) lar_tensor_put(&x.t, i + j * x.ld, 0);
  LAR_GO(lar_copy(l, &x.t));
done:
  lar_tensor_clear(&x.t);
  return st;
}

lar_status lar_lapack_solve(const lar_tensor *x, const lar_tensor *a, const lar_tensor *b) {
  matrix lu = {0}, y = {0};
  void *pivot = NULL;
  int info = 0;
  lar_status st = LAR_OK;
  LAR_GO(square(a));
  LAR_GO(matrix_from(&lu, a));
  LAR_GO(matrix_new(&y, b->dtype, b->shape[0], b->shape[1]));
  LAR_GO(lar_copy(&y.t, b));
  LAR_GO(lar_alloc_raw(&pivot, (size_t)lu.n + 1, sizeof(int)));
  if (lu.n > 0) CALL(a->dtype, gesv)(&lu.n, &y.n, lu.p, &lu.ld, pivot, y.p, &y.ld, &info);
  if (info != 0)
    LAR_GO(lar_fail(LAR_EMATH, "a matrix of shape %s is singular: pivot %d is 0",
                    lar_tensor_text(a), info));
  LAR_GO(lar_copy(x, &y.t));
done:
  lar_free(pivot);
  lar_tensor_clear(&lu.t);
  lar_tensor_clear(&y.t);
  return st;
}

lar_status lar_lapack_solve_triangle(const lar_tensor *x, const lar_tensor *a,
                                     const lar_tensor *b, bool upper) {
  matrix t = {0}, y = {0};
  int info = 0;
  lar_status st = LAR_OK;
  LAR_GO(square(a));
  LAR_GO(matrix_from(&t, a));
  LAR_GO(matrix_new(&y, b->dtype, b->shape[0], b->shape[1]));
  LAR_GO(lar_copy(&y.t, b));
  if (t.n > 0 && y.n > 0) CALL(a->dtype, trtrs)
  (upper ? "U" : "L", "N", "N", &t.n, &y.n, t.p, &t.ld, y.p, &y.ld, &info, 1, 1, 1);
  if (info != 0)
    LAR_GO(lar_fail(LAR_EMATH,
                    "a matrix of shape %s is singular: element %d of its diagonal "
                    "is 0",
                    lar_tensor_text(a), info));
  LAR_GO(lar_copy(x, &y.t));
done:
  lar_tensor_clear(&t.t);
  lar_tensor_clear(&y.t);
  return st;
}

lar_status lar_lapack_slogdet(double *sign, double *log_abs, const lar_tensor *a) {
  matrix lu = {0};
  void *pivot = NULL;
  int info = 0;
  lar_status st = LAR_OK;
  *sign = 1, *log_abs = 0;
  LAR_GO(square(a));
  LAR_GO(matrix_from(&lu, a));
  LAR_GO(lar_alloc_raw(&pivot, (size_t)lu.n + 1, sizeof(int)));
  if (lu.n > 0) CALL(a->dtype, getrf)(&lu.n, &lu.n, lu.p, &lu.ld, pivot, &info);
  for (int i = 0; i < lu.n; i++) {
    double d = lar_tensor_get(&lu.t, i + (int64_t)i * lu.ld);
    if ((d < 0) != (((const int *)pivot)[i] != i + 1)) *sign = -*sign;
    if (d == 0) *sign = 0;
    *log_abs += log(fabs(d));
  }
done:
  lar_free(pivot);
  lar_tensor_clear(&lu.t);
  return st;
}
