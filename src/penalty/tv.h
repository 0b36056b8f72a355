/*
 * penalty/tv - sums of absolute differences of neighbours along the last dimension.
 *
 * Floor:    penalty.
 * Contract: rows of n numbers, one after the other, float32 or float64. The prox is exact: the
 *           dynamic programme of Johnson 2013 (J. Comput. Graph. Stat. 22(2)) with a quadratic
 *           of its own for each coordinate, O(n), in double. A row that holds NaN or infinity
 *           becomes NaN.
 */
#ifndef LAR_PENALTY_TV_H
#define LAR_PENALTY_TV_H

#include "core/tensor.h"

/* sum |w_{i + 1} - w_i| over all rows */
double lar_tv_value(const lar_tensor *w);

/* g += l sign(differences), 0 for equal neighbours */
void lar_tv_grad(const lar_tensor *w, double l, const lar_tensor *g);

/* w = the prox of l times that sum, then soft thresholding by `soft`; metric may be NULL. */
lar_status lar_tv_prox(const lar_tensor *w, double l, double step, const lar_tensor *metric,
                       double soft);

/* ---- for each dtype (penalty/tv_rows.c) ---- */

typedef struct lar_tv_job {
  void *w, *g;
  const void *metric;
  int64_t n, grain; /* length of a row; rows in a chunk */
  double l, step, soft;
  double *part; /* sums of chunks */
  _Atomic int starved;
} lar_tv_job;

/* Bodies for lar_par_for over rows. */
void lar_tv_values_f32(void *job, int64_t begin, int64_t end);
void lar_tv_values_f64(void *job, int64_t begin, int64_t end);
void lar_tv_grads_f32(void *job, int64_t begin, int64_t end);
void lar_tv_grads_f64(void *job, int64_t begin, int64_t end);
void lar_tv_proxes_f32(void *job, int64_t begin, int64_t end);
void lar_tv_proxes_f64(void *job, int64_t begin, int64_t end);

#endif
