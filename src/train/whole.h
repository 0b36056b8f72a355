/*
 * train/whole - iterations of rules that look at the whole data (optim/whole.h).
 *
 * Floor:    train.
 * Contract: the data are cut into batches in a given order; the loss of one, with the penalties
 *           of its forward pass, is a part of the rule's task, looked at by train/steps. After
 * an iteration `loss` and `sum` (of the terms of the pass, over `rows`) are those of the last
 * look at all parts, which is where the parameters are.
 */
#ifndef LAR_TRAIN_WHOLE_H
#define LAR_TRAIN_WHOLE_H

#include "train/fit.h"

typedef struct lar_whole_pass {
  lar_fit *f;
  struct lar_steps *steps;
  const int64_t *order; /* of the rows; NULL: as they are */
  uint64_t stamp;       /* of this run */
  lar_batch slot[4];    /* whole and short parts, dealt and given, to be filled again */
  double loss, rows;
  lar_rng_marks streams; /* as they are to be again */
  lar_tensor *kept;      /* the same of buffers; nkept of them */
  int nkept;
  int nterm;
  double *each, *sum;
} lar_whole_pass;

/* One iteration; sets f->batch_loss, and f->status where it is the last. */
lar_status lar_whole_pass_run(lar_whole_pass *p, lar_fit *f, struct lar_steps *steps,
                              const int64_t *order);
void lar_whole_pass_clear(lar_whole_pass *p);

#endif
