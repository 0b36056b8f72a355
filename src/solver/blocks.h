/*
 * solver/blocks - a penalty cut into blocks of coefficients that it ties together.
 *
 * Floor:    solver.
 * Contract: on block q, at strength lambda, the penalty is
 *
 *             lambda (sum_i a_i |b_i| + s_i b_i^2 / 2) + [lo_i <= b_i <= hi_i] + Omega_q(b;
 * lambda)
 *
 *           where Omega_q is one function of the block: a norm, another that its group penalty
 *           knows, a separable one of a single coefficient, or nothing. Positions i run through
 *           the blocks; coord[i] is c * p + j of coefficient j in predictor c. The quadratic
 *           part is the caller's to add to its gradient: it is in no prox.
 */
#ifndef LAR_SOLVER_BLOCKS_H
#define LAR_SOLVER_BLOCKS_H

#include "solver/coefs.h"

typedef enum lar_block_kind {
  LAR_BLOCK_SIMPLE,
  LAR_BLOCK_NORM,
  LAR_BLOCK_OTHER
} lar_block_kind;

typedef struct lar_blocks {
  int64_t n, m, largest; /* blocks, positions, most positions in a block */
  int64_t *start, *coord;
  double lambda;
  double *a, *s, *lo, *hi; /* by position; a = HUGE_VAL: held at 0; lo, hi may be NULL */
  double *norm;            /* by block: strength of its norm, or of the other function */
  lar_block_kind kind;
  const lar_penalty *other;
  const void *self;
  bool convex, knee, dual; /* dual: its conjugate is known */
  lar_tensor room;         /* one block, for the other function */
  double *scratch;
  lar_coefs coefs;
} lar_blocks;

/* LAR_OK, or why not, naming the solver. Close it also after a failure. */
lar_status lar_blocks_open(lar_blocks *B, const lar_problem *g, const char *who);
void lar_blocks_close(lar_blocks *B);

static inline int64_t lar_block_size(const lar_blocks *B, int64_t q) {
  return B->start[q + 1] - B->start[q];
}

/* v, of block q, becomes its prox with that step. */
lar_status lar_block_prox(lar_blocks *B, int64_t q, double step, double *v);

/* The penalty of block q at b, the quadratic part too. */
lar_status lar_block_value(lar_blocks *B, int64_t q, const double *b, double *out);

/* Does strength lambda hold block q at 0 against the gradient g? */
bool lar_block_holds(lar_blocks *B, int64_t q, const double *g, double lambda);

/* How far g may go from where it is, in length, before strength lambda may no longer hold block
 * q at 0; less than 0: it may not hold it as it is. Of blocks that are no other function's. */
double lar_block_slack(const lar_blocks *B, int64_t q, const double *g, double lambda);

/* Is nothing in block q penalised (and nothing held at 0)? */
bool lar_block_free(const lar_blocks *B, int64_t q);

/* The greatest factor up to `most` by which g may be scaled for the conjugate to be finite, and
 * the conjugate of the penalty at -scale g. */
double lar_block_scale(lar_blocks *B, int64_t q, const double *g, double most);
lar_status lar_block_conjugate(lar_blocks *B, int64_t q, const double *g, double scale,
                               double *out);

/* The value of the dual at the best multiple *share of the slopes u by rows (n * k), whose
 * gradient is grad (p * k); NaN where there is none. `rows` (n * k) and `part` (a block) are
 * written. */
lar_status lar_blocks_dual(lar_blocks *B, const lar_problem *g, const double *u,
                           const double *grad, double *rows, double *part, double *share,
                           double *out);

/* The least lambda that holds block q against g, if it is above `floor`; else floor. */
double lar_block_max(lar_blocks *B, int64_t q, const double *g, double floor);

#endif
