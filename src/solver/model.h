/*
 * solver/model - a quadratic model of the loss, and block coordinate descent on it.
 *
 * Floor:    solver.
 * Contract: the model at a point is <u, d> + 1/2 sum_ic h_ic d_ic^2 in the change d of the
 *           predictors. What is kept is its slope: by rows u_ic + shift_c h_ic, so that a
 *           centred column costs its entries alone; total_c and curve_c are the sums of u and
 * h.
 */
#ifndef LAR_SOLVER_MODEL_H
#define LAR_SOLVER_MODEL_H

#include "solver/blocks.h"

typedef struct lar_model {
  const lar_problem *g;
  lar_blocks *blocks;
  bool coupled;
  double *u, *h;  /* n * k */
  double *pair;   /* coupled: n numbers for every pair of predictors; else NULL */
  double *turn;   /* coupled: d, without shift */
  double *seen;   /* coupled: turn of predictor `behind`, as far as u of the others has it */
  int64_t behind; /* or -1: all have all */
  const double *origin;          /* u where the model was made; the caller's */
  double *shift, *total, *curve; /* k; curve coupled k * k */
  double *first;                 /* by position: x_j'h; coupled: x_j'H_cl for all l */
  double **gram;                 /* by block: Z_q'H Z_q and the quadratic penalty, m * m */
  int64_t *age, now;             /* gram[q] is of the model `age[q]` */
  double *scratch;               /* n, kept at 0 */
  double *part;                  /* room for a block */
  double *ahead;                 /* n * k: what slopes come to, as the last sweeps say, */
  bool heading;                  /* where they say something */
  bool alike;                    /* h is the same in all predictors */
} lar_model;

lar_status lar_model_open(lar_model *M, const lar_problem *g, lar_blocks *B, bool coupled);
void lar_model_close(lar_model *M);

/* u, and h (or H) if it has changed, are new. */
void lar_model_renew(lar_model *M, bool h_too);

/* H of a softmax from the probabilities p (n * k): h and pair. */
void lar_model_couple(lar_model *M, const double *p);

/* H_cl by rows; NULL: 0. */
static inline const double *lar_model_pair(const lar_model *M, int64_t c, int64_t l) {
  const int64_t n = M->g->x->n;
  if (c == l) return M->h + c * n;
  return M->coupled ? M->pair + (c * M->g->rows.k + l) * n : NULL;
}

/* Coordinate descent on the listed blocks until no block that is met is off its optimum by
 * more than `fine` (in units of gradients), or `limit` sweeps are done; b (flat) and b0 move.
 * Sweeps are added to *sweeps. */
lar_status lar_model_descend(lar_model *M, const int64_t *list, int64_t count, double fine,
                             int64_t limit, double *b, double *b0, int64_t *sweeps);

#endif
