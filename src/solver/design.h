/*
 * solver/design - one view of X for all solvers: dense columns or compressed ones, centred and
 * scaled without touching an entry.
 *
 * Floor:    solver (may include: family penalty kern core).
 * Contract: the matrix that solvers see is z_j = (x_j - mean_j) / scale_j. Vectors of rows and
 *           of columns are float64 whatever the dtype of X. Nothing is written to X; several
 *           threads may use one design.
 */
#ifndef LAR_SOLVER_DESIGN_H
#define LAR_SOLVER_DESIGN_H

#include "kern/sparse.h"

typedef struct lar_design {
  int64_t n, p;
  lar_dtype dtype;
  lar_tensor dense;     /* (n, p) with stride[0] == 1, or nothing */
  lar_sparse *sparse;   /* or this */
  double *mean, *scale; /* p each; NULL: 0, 1. Scale 0: a constant column, z_j = 0 */
  double *gram;         /* p * p: Z' diag(w) Z for weights w, where somebody has asked for it */
} lar_design;

/* A view of X; a dense matrix whose columns are not contiguous is copied once. */
lar_status lar_design_dense(lar_design *out, const lar_tensor *x);
lar_status lar_design_sparse(lar_design *out, lar_sparse *x);
void lar_design_clear(lar_design *d);

/* LAR_EARG names row and column of a NaN or an infinity. */
lar_status lar_design_check(const lar_design *d);

/* The same X, centred and scaled for weights w (n, sum 1): mean where `centre`, the 1/n
 * standard deviation where `scale` (about the mean in either case). */
lar_status lar_design_standardised(lar_design *out, const lar_design *x, const double *w,
                                   bool centre, bool scale);

static inline double lar_design_mean(const lar_design *d, int64_t j) {
  return d->mean != NULL ? d->mean[j] : 0;
}
static inline double lar_design_scale(const lar_design *d, int64_t j) {
  return d->scale != NULL ? d->scale[j] : 1;
}

/* x_j' v, raw: without centre and scale. */
double lar_design_dot(const lar_design *d, int64_t j, const double *v);
/* The same for the m columns from j on; and of column j with k vectors, side by side in v. */
void lar_design_dots(const lar_design *d, int64_t j, int64_t m, const double *v, double *out);
void lar_design_dot_each(const lar_design *d, int64_t j, int64_t k, const double *v,
                         double *out);
/* sum_i w_i x_ij and sum_i w_i x_ij^2, raw; w may be NULL: 1. */
void lar_design_moments(const lar_design *d, int64_t j, const double *w, double *first,
                        double *second);
/* v += a w x_j, raw; w may be NULL: 1. */
void lar_design_axpy(const lar_design *d, int64_t j, double a, const double *w, double *v);
/* v += w (a_1 x_j + a_2 x_j+1 ...), raw, of m columns. */
void lar_design_axpys(const lar_design *d, int64_t j, int64_t m, const double *a,
                      const double *w, double *v);
/* Number of entries of column j. */
int64_t lar_design_entries(const lar_design *d, int64_t j);
/* out = root (n; NULL: 1) times rows [from, from + n) of z_j less mean, where X is dense. */
void lar_design_pack(const lar_design *d, int64_t j, int64_t from, int64_t n, double mean,
                     const double *root, double *out);

/* out[j] = z_j' v for all j, or for the m listed; sum is sum_i v_i. Parallel over columns. */
void lar_design_tmul(const lar_design *d, const double *v, double sum, const int64_t *list,
                     int64_t m, double *out);
/* The same for k vectors, side by side in v and in out. */
void lar_design_tmul_each(const lar_design *d, const double *v, int64_t k, const int64_t *list,
                          int64_t m, double *out);
/* gram (p * p) = Z' diag(w) Z and, where u is not NULL, out = Z' u for a u that is 0 where w
 * is, in one look at an X that is dense. Parallel over rows; ends early when interrupted. */
lar_status lar_design_cross(const lar_design *d, const double *w, const double *u, double *gram,
                            double *out);
/* d->gram for weights w, and out = Z' u for a u that is 0 where w is, in one look at X. */
lar_status lar_design_squares(lar_design *d, const double *w, const double *u, double *out);
/* Is that worth its p^2 n / 2 multiplications? */
static inline bool lar_design_narrow(const lar_design *d) {
  return d->sparse == NULL && d->p <= 300 && d->n >= 2 * d->p;
}

/* out = Z b + c over the coefficients that are not 0. */
void lar_design_mul(const lar_design *d, const double *b, double c, double *out);

#endif
