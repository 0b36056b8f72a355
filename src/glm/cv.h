/*
 * glm/cv - a path for each fold, on the rows outside it.
 *
 * Floor:    glm.
 * Contract: the rows of a fold get weight 0, so X is shared and copied nowhere; folds run in
 *           parallel, each as it would alone, so results do not depend on the number of
 * threads.
 */
#ifndef LAR_GLM_CV_H
#define LAR_GLM_CV_H

#include "glm/path.h"

typedef struct lar_cv {
  int64_t n, k, folds, points; /* points: lambdas that every fold that counts has reached */
  double *eta;    /* points * k * n: predictors of rows from the fold they are left out of */
  double *score;  /* folds * points: mean deviance of the rows left out */
  double *weight; /* folds: what each counts for: sums of weights, of events in cox */
  unsigned char *status; /* folds * points, of lar_outcome */
  bool *finished;        /* folds: to the last lambda; of others nothing counts */
  bool interrupted;
} lar_cv;

/* fold: n entries from 0 on, or -1: in every fold's training. ask->lambda must be given. The
 * rows of a joint loss (cox) are scored by what they add to the loss of the others (Verweij &
 * van Houwelingen 1993, Stat. Med. 12(24)). */
lar_status lar_cv_fit(lar_cv *out, const lar_path_ask *ask, const int64_t *fold, int64_t folds);
void lar_cv_clear(lar_cv *cv);

#endif
