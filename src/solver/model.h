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
#include "solver/quad.h"

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
  lar_quad quad;                 /* joint: H of the blocks listed, and slopes of the model */
  bool joint;                    /* rows are not independent, and H is in quad */
  bool alike;                    /* h is the same in all predictors */
} lar_model;

lar_status lar_model_open(lar_model *M, const lar_problem *g, lar_blocks *B);
void lar_model_close(lar_model *M);

/* u, and h (or H) if it has changed, are new. */
void lar_model_renew(lar_model *M, bool h_too);

/* h, as the family has it at eta (n * k), becomes fit for a model, `damp` times; or H of a
 * softmax. `room` (n * k) is written. */
void lar_model_curve(lar_model *M, const double *eta, double damp, double *room);

/* H in full over the listed blocks, `damp` times, of a joint loss at the eta that it had last,
 * where the slopes by coefficient are grad, unless these are too many. */
lar_status lar_model_join(lar_model *M, const int64_t *list, int64_t count, const double *grad,
                          double damp);

/* Then: Newton's step of the model on the listed blocks that are not 0, if it falls. */
lar_status lar_model_newton(lar_model *M, const int64_t *list, int64_t count, double *b);

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
