/*
 * train/gap - how far the objective of a linear model can be above its minimum.
 *
 * Floor:    train.
 * Contract: for one linear layer, a mean of convex losses that are never below 0 and a penalty
 *           on its weight whose conjugate is known (penalty/reg.h): an upper bound of
 *           J - min J, to rounding. With z the predictions and u the slope of the loss by
 *           them, -loss*(s u) >= s (loss - <u, z>) for every share s in [0, 1], so that
 *           s (loss - <u, z>) - P*(-s X^T u) is below the minimum. A bias that learns asks for
 *           u to add up to 0, which a shift of all predictions brings about.
 */
#ifndef LAR_TRAIN_GAP_H
#define LAR_TRAIN_GAP_H

#include "train/fit.h"

/* LAR_EARG, saying why, where no gap is known. */
lar_status lar_gap_known(const lar_fit *f);

/* The gap over the objective where the parameters are; NaN where no shift was found. */
lar_status lar_gap(const lar_fit *f, double *out);

#endif
