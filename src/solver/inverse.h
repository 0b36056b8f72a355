/*
 * solver/inverse - the inverse of a matrix whose rows and columns come and go.
 *
 * Floor:    solver.
 * Contract: symmetric, `n` slots wide; a slot that nobody holds is 0. Every change is the
 *           square of a vector; the last few of them wait, so that the whole is written once
 *           for all.
 */
#ifndef LAR_SOLVER_INVERSE_H
#define LAR_SOLVER_INVERSE_H

#include <stdint.h>

#include "core/status.h"

typedef struct lar_inverse {
  int64_t n, side; /* slots; room for as many */
  double *at;      /* side * side */
  double *late;    /* the vectors that wait, side each */
  double *times;   /* and what their squares are multiplied by */
  int64_t waiting;
} lar_inverse;

/* Room for n slots; those that are new are 0. */
lar_status lar_inverse_room(lar_inverse *k, int64_t n);
void lar_inverse_close(lar_inverse *k);

/* out = K v */
void lar_inverse_apply(const lar_inverse *k, const double *v, double *out);

/* out = column c */
void lar_inverse_column(const lar_inverse *k, int64_t c, double *out);

/* K += f v v' */
void lar_inverse_add(lar_inverse *k, double f, const double *v);

/* out = sum_c f_c x_c, of m columns of n that begin at x[c]; *out is not read. */
void lar_inverse_sum(int64_t n, int64_t m, const double *const *x, const double *f,
                     double *out);

#endif
