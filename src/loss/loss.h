/*
 * loss/loss - what a loss must say of itself, and how losses are reduced.
 *
 * Floor:    loss (may include: grad op kern core).
 * Contract: one loss a file; it defines one `LAR_ENTRY(loss, <file>)`. `each` gives the loss
 *           of every element, or of every row, before reduction, written in ops, finite for
 *           extreme inputs. Sample weights: mean = sum_i w_i l_i / sum_i w_i, as repeated
 *           rows would give.
 */
#ifndef LAR_LOSS_LOSS_H
#define LAR_LOSS_LOSS_H

#include "op/calc.h"

enum {
  LAR_LOSS_LABELS = 1u << 0, /* target: int64 labels 1..K for predictions (n, K) */
  LAR_LOSS_DENSE = 1u << 1,  /* target: floats of the prediction's shape; both: either */
  LAR_LOSS_ROWS = 1u << 2,   /* a loss of each row, (n), for predictions (n, K) */
  LAR_LOSS_GROWS = 1u << 3,  /* exp(prediction): infinite where that is */
  LAR_LOSS_CONVEX = 1u << 4, /* in the prediction, and never below 0 */
  LAR_LOSS_MAX_EXTRA = 2,
};

typedef struct lar_loss {
  const char *name, *doc, *source;
  const lar_param *params;
  size_t size;
  unsigned traits;
  const char *extra; /* names of optional tensors: "class_weight", "pos_weight" */
  /* What a dense target may hold: "in [0, 1]"; NULL: any number. */
  const char *domain;
  bool (*inside)(double target);
  /* Unreduced losses: of pred's shape, or (n) for losses of rows. target is of pred's dtype
   * and shape, or labels. *scale, when set, is the tensor whose sum divides instead of the
   * count (class weights). */
  lar_var *(*each)(const void *self, lar_scope *s, lar_var *pred, lar_var *target,
                   lar_var *const *extra, lar_var **scale);
} lar_loss;

/* mean over all elements (or rows), batchmean: the sum over the number of rows. */
typedef enum lar_reduction { LAR_MEAN, LAR_SUM, LAR_EACH, LAR_BATCHMEAN } lar_reduction;

/* A loss with its parameters set. */
typedef struct lar_criterion {
  const lar_loss *type;
  void *self;
  lar_reduction reduction;
  lar_var *extra[LAR_LOSS_MAX_EXTRA]; /* of the names in type->extra, in order; or NULL */
} lar_criterion;

extern const lar_loss *const lar_losses[]; /* ends in NULL; made by make */
const lar_loss *lar_loss_find(const char *name);

/* Defaults for everything; set fields of ->self through lar_param_set afterwards. */
lar_status lar_criterion_init(lar_criterion *c, const lar_loss *type);
lar_status lar_criterion_copy(lar_criterion *c, const lar_criterion *from);
void lar_criterion_clear(lar_criterion *c);

const char *lar_reduction_name(lar_reduction r);
bool lar_reduction_find(const char *name, lar_reduction *out);

/* The k-th name in type->extra, copied to buf; false past the last. */
bool lar_loss_extra(const lar_loss *type, int k, char *buf, size_t size);

/* The reduced loss. weight: (n) or NULL. Shapes and labels are checked here: one sentence
 * (`cross_entropy: label 11 in row 3 is not in 1..10`). */
lar_var *lar_loss_apply(const lar_criterion *c, lar_scope *s, lar_var *pred, lar_var *target,
                        lar_var *weight);

/* For entries: pred[i, label_i] as (n); v[label_i] for a vector of K. */
lar_var *lar_loss_pick(lar_scope *s, lar_var *pred, lar_var *labels);
lar_var *lar_loss_lookup(lar_scope *s, lar_var *v, lar_var *labels);

#endif
