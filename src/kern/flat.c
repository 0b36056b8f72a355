#include "kern/flat.h"

#include <cblas.h>
#include <math.h>
#include <stddef.h>

#include "core/par.h"
#include "kern/gram.h"

enum { SMALL = 24 }; /* up to this order a call of LAPACK costs more than the work */
enum { TILE = 32 };  /* of a matrix that is turned over */

/* Fortran's routines, by hand: there is no header without LAPACKE. */
#define ROUTINE(name)                                                                \
  void name##_(const char *uplo, const int *n, double *a, const int *lda, int *info, \
               size_t len);
ROUTINE(dpotrf)
ROUTINE(dpotri)

void lar_flat_cross(int64_t n, int64_t m, int64_t k, const double *a, int64_t lda,
                    const double *b, int64_t ldb, double *c, int64_t ldc) {
  if (n == 0 || m == 0 || k == 0) return;
  if (lar_gram_pays(m, k)) {
    lar_gram_cross(n, m, k, a, lda, b, ldb, c, ldc);
    return;
  }
  cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int)m, (int)k, (int)n, 1, a, (int)lda,
              b, (int)ldb, 1, c, (int)ldc);
}

/* A square in panels of columns, each of them a thread's alone: BLAS's own threads cut it by
 * their number, and last bits would tell it. */
enum { PANEL = 256 };

typedef struct squaring {
  int64_t n, m, lda, ldc;
  const double *a;
  double *c;
} squaring;

static void panel(void *ctx, int64_t k) {
  const squaring *s = ctx;
  const int64_t from = k * PANEL, wide = s->m - from < PANEL ? s->m - from : PANEL;
  const int64_t below = s->m - from - wide;
  const double *a = s->a + from * s->lda;
  double *c = s->c + from * s->ldc + from;
  cblas_dsyrk(CblasColMajor, CblasLower, CblasTrans, (int)wide, (int)s->n, 1, a, (int)s->lda, 1,
              c, (int)s->ldc);
  if (below > 0)
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, (int)below, (int)wide, (int)s->n, 1,
                a + wide * s->lda, (int)s->lda, a, (int)s->lda, 1, c + wide, (int)s->ldc);
}

void lar_flat_square(int64_t n, int64_t m, const double *a, int64_t lda, double *c,
                     int64_t ldc) {
  if (n == 0 || m == 0) return;
  if (lar_gram_pays(m, m)) {
    lar_gram_square(n, m, a, lda, c, ldc);
    return;
  }
  squaring s = {n, m, lda, ldc, a, c};
  const int64_t panels = (m + PANEL - 1) / PANEL;
  const int threads = lar_par_threads();
  if (panels == 1) lar_par_set_threads(1); /* an only task would have them all */
  lar_par_tasks(panels, panel, &s);
  if (panels == 1) lar_par_set_threads(threads);
}

static bool small_cholesky(int64_t n, double *a, int64_t lda) {
  for (int64_t j = 0; j < n; j++) {
    double *c = a + j * lda;
    for (int64_t k = 0; k < j; k++) {
      const double *l = a + k * lda;
      for (int64_t i = j; i < n; i++) c[i] -= l[j] * l[i];
    }
    if (!(c[j] > 0)) return false;
    double root = sqrt(c[j]);
    for (int64_t i = j; i < n; i++) c[i] /= root;
  }
  return true;
}

bool lar_flat_cholesky(int64_t n, double *a, int64_t lda) {
  if (n <= SMALL) return small_cholesky(n, a, lda);
  int order = (int)n, ld = (int)lda, info = 0;
  dpotrf_("L", &order, a, &ld, &info, 1);
  return info == 0;
}

void lar_flat_inverse(int64_t n, double *a, int64_t lda) {
  int order = (int)n, ld = (int)lda, info = 0;
  if (n == 0) return;
  dpotri_("L", &order, a, &ld, &info, 1);
  for (int64_t c = 0; c < n; c += TILE)
    for (int64_t r = c; r < n; r += TILE)
      for (int64_t j = c; j < n && j < c + TILE; j++)
        for (int64_t i = r > j ? r : j + 1; i < n && i < r + TILE; i++)
          a[i * lda + j] = a[j * lda + i];
}

void lar_flat_forward(int64_t n, const double *l, int64_t lda, double *b) {
  if (n > SMALL) {
    cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, (int)n, l, (int)lda, b,
                1);
    return;
  }
  for (int64_t j = 0; j < n; j++) {
    b[j] /= l[j * lda + j];
    for (int64_t i = j + 1; i < n; i++) b[i] -= l[j * lda + i] * b[j];
  }
}

void lar_flat_backward(int64_t n, const double *l, int64_t lda, double *b) {
  if (n > SMALL) {
    cblas_dtrsv(CblasColMajor, CblasLower, CblasTrans, CblasNonUnit, (int)n, l, (int)lda, b, 1);
    return;
  }
  for (int64_t j = n - 1; j >= 0; j--) {
    for (int64_t i = j + 1; i < n; i++) b[j] -= l[j * lda + i] * b[i];
    b[j] /= l[j * lda + j];
  }
}

void lar_flat_cholesky_solve(int64_t n, const double *l, int64_t lda, double *b) {
  lar_flat_forward(n, l, lda, b);
  lar_flat_backward(n, l, lda, b);
}
