/*
 * solver/anderson - extrapolation of the sweeps of block coordinate descent.
 *
 * Floor:    solver.
 * Contract: fed with the model's state after every sweep over one set of blocks; once it holds
 *           enough of them it tries the combination of weights that sum to 1 whose differences
 *           are least, and keeps it where the model and its penalty are lower there.
 */
#ifndef LAR_SOLVER_ANDERSON_H
#define LAR_SOLVER_ANDERSON_H

#include "solver/model.h"

enum { LAR_ANDERSON = 5 };

typedef struct lar_anderson {
  int held;
  int64_t blocks, count,
    rows;             /* blocks and positions followed, numbers by rows and predictor */
  int64_t *list, *at; /* those blocks; flat indices */
  double *b, *u;      /* LAR_ANDERSON + 1 states of each */
  double *next, *block;
} lar_anderson;

/* Follow the blocks of the list that are not 0 in b. */
lar_status lar_anderson_open(lar_anderson *A, const lar_model *M, const int64_t *list,
                             int64_t count, const double *b);
void lar_anderson_close(lar_anderson *A);
/* Where the model's slopes are heading after the last sweep: M->ahead and M->heading. */
void lar_anderson_ahead(lar_anderson *A, lar_model *M, const double *b, const double *b0);
lar_status lar_anderson_step(lar_anderson *A, lar_model *M, double *b, double *b0);

#endif
