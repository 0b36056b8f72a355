/*
 * solver/columns - typed loops over one column of a design, dense or compressed.
 *
 * Floor:    solver. x is float32 or float64; all that is added up is double.
 */
#ifndef LAR_SOLVER_COLUMNS_H
#define LAR_SOLVER_COLUMNS_H

#include <stdint.h>

/* What a design of one dtype can do; index is NULL for dense columns, where n is the number
 * of rows; otherwise that of entries. w may be NULL: 1. */
typedef struct lar_columns {
  double (*dot)(int64_t n, const int32_t *index, const void *x, const double *v);
  /* of k <= 4 dense columns, ld elements apart */
  void (*dots)(int64_t n, int k, int64_t ld, const void *x, const double *v, double *out);
  /* v += a w x */
  void (*axpy)(int64_t n, const int32_t *index, const void *x, double a, const double *w,
               double *v);
  /* v += w (a_1 x_1 + ... + a_k x_k), of k <= 4 dense columns */
  void (*axpys)(int64_t n, int k, int64_t ld, const void *x, const double *a, const double *w,
                double *v);
  /* sum w x and sum w x^2 */
  void (*moments)(int64_t n, const int32_t *index, const void *x, const double *w,
                  double *first, double *second);
  /* out = (x - mean) scale root, dense; root may be NULL: 1 */
  void (*pack)(int64_t n, const void *x, double mean, double scale, const double *root,
               double *out);
} lar_columns;

extern const lar_columns lar_columns_f32, lar_columns_f64;

#endif
