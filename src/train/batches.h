/*
 * train/batches - what goes into the training loop row by row, and what comes out.
 *
 * Floor: train. A dealer cuts whole tensors into batches; what is kept of them is joined.
 */
#ifndef LAR_TRAIN_BATCHES_H
#define LAR_TRAIN_BATCHES_H

#include "train/fit.h"

typedef struct lar_dealer {
  const lar_batch *data;
  int64_t size; /* rows of a batch */
  bool drop_last;
  int64_t *order;    /* of the rows, or NULL; owned */
  int64_t at;        /* next row */
  lar_batch slot[2]; /* the last whole batch and the last short one, to be filled again */
} lar_dealer;

/* The next rows into *b (zeroed; new references), or *end. */
lar_status lar_dealer_next(lar_dealer *d, lar_batch *b, bool *end);
void lar_dealer_clear(lar_dealer *d);

/* Predictions and targets, batch by batch. */
typedef struct lar_kept {
  lar_var **pred, **y;
  size_t n, pred_cap, y_cap;
} lar_kept;

lar_status lar_kept_add(lar_kept *k, lar_var *pred, lar_var *y);
void lar_kept_forget(lar_kept *k);
void lar_kept_clear(lar_kept *k);

/* One value of n parts; NULL of none. */
lar_status lar_kept_join(lar_var **out, lar_var *const *part, size_t n);

#endif
