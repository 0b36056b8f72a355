/*
 * penalty/tv - sums of absolute differences of neighbours along the last dimension.
 *
 * Floor:    penalty.
 * Contract: rows of n numbers, one after the other, float32 or float64. The prox is exact,
 * O(n), in double, and the same bits with any number of threads. A row that holds NaN or
 *           infinity becomes NaN.
 *
 * Optimal is where the dual z of each edge is in [-lambda, lambda], and at an end of it
 * wherever x jumps. Given a jump, what is on its two sides are problems of their own, so a long
 * row is cut into blocks at jumps that are guessed; where the blocks say otherwise, a stretch
 * around the cut is solved again, from a jump to a jump (penalty/tv_blocks.c). Stretches are
 * solved by the dynamic programme of Johnson 2013 (J. Comput. Graph. Stat. 22(2)) with a
 * quadratic of its own for each coordinate (tv_message.c), blocks without a metric some at a
 * time by the tube of Condat 2013 (IEEE Signal Process. Lett. 20(11)), as long as that is
 * linear (tv_lanes.c).
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

/* ---- for each dtype ---- */

typedef struct lar_tv_job {
  void *w, *g;
  const void *metric;
  int64_t n, grain; /* length of a row; what makes a chunk: of coordinates, or rows */
  double l, step, soft;
  double *part; /* sums of chunks */
  _Atomic int starved;
} lar_tv_job;

/* Bodies for lar_par_for over coordinates, over coordinates, over rows (penalty/tv_rows.c). */
void lar_tv_values_f32(void *job, int64_t begin, int64_t end);
void lar_tv_values_f64(void *job, int64_t begin, int64_t end);
void lar_tv_grads_f32(void *job, int64_t begin, int64_t end);
void lar_tv_grads_f64(void *job, int64_t begin, int64_t end);
void lar_tv_proxes_f32(void *job, int64_t begin, int64_t end);
void lar_tv_proxes_f64(void *job, int64_t begin, int64_t end);

/* One long row, its blocks in parallel (penalty/tv_blocks.c). */
enum { LAR_TV_LONG = 16384 };
lar_status lar_tv_long_f32(const lar_tv_job *job, int64_t row);
lar_status lar_tv_long_f64(const lar_tv_job *job, int64_t row);

/* ---- parts of a row ---- */

/* A row's numbers v, steps (NULL: all alike) and result x. */
typedef struct lar_tv_row {
  const void *v, *metric;
  void *x;
  int64_t n;
  double level, step;
} lar_tv_row;

/* [begin, end) of it: x jumps up (1) or down (-1) into it and out of it, or it is free (0). */
typedef struct lar_tv_span {
  int64_t begin, end;
  int into, out;
} lar_tv_span;

/* Scratch of the dynamic programme; all zeros is empty. */
typedef struct lar_tv_room {
  void *knots, *high;
  size_t knot_cap, high_cap;
} lar_tv_room;

void lar_tv_clear(lar_tv_room *room);

/* Is the whole row, free at both ends, one segment for sure? Then x is that; x may be v. */
bool lar_tv_flat_f32(const lar_tv_row *row);
bool lar_tv_flat_f64(const lar_tv_row *row);

/* x = the solution; x may be v. */
lar_status lar_tv_solve_f32(const lar_tv_row *row, lar_tv_span of, lar_tv_room *room);
lar_status lar_tv_solve_f64(const lar_tv_row *row, lar_tv_span of, lar_tv_room *room);

/* Without a metric: of spans of two coordinates at least, some at a time. Only the first of
 * coordinates that are equal is written. What is left undone stays in at[k]: nothing, or a
 * stretch that is too much for this method. x is not v. */
void lar_tv_lanes_f32(const lar_tv_row *row, int64_t n, lar_tv_span *at);
void lar_tv_lanes_f64(const lar_tv_row *row, int64_t n, lar_tv_span *at);

#endif
