/* The loss of a batch, and of whole tensors in evaluation mode. */
#include <math.h>

#include "train/steps.h"

/* A column of predictions and a row of targets that are no labels are meant for each other. */
static lar_var *matched(const lar_loss *type, lar_scope *s, const lar_var *pred, lar_var *y) {
  const lar_tensor *p = &pred->t, *t = &y->t;
  if (t->dtype == LAR_I64 && (type->traits & LAR_LOSS_LABELS)) return y;
  bool column = p->ndim == 2 && p->shape[1] == 1 && t->ndim == 1 && t->shape[0] == p->shape[0];
  bool row = t->ndim == 2 && t->shape[1] == 1 && p->ndim == 1 && t->shape[0] == p->shape[0];
  return column || row ? lar_reshape(s, y, p->ndim, p->shape) : y;
}

lar_var *lar_fit_loss(const lar_fit *f, lar_scope *s, lar_var *pred, const lar_batch *b) {
  if (s->status != LAR_OK) return NULL;
  if (f->loss != NULL && b->y == NULL)
    return lar_scope_fail(
      s,
      lar_fail(LAR_EARG, "fit: the loss %s compares predictions with targets; give y beside x",
               f->loss->type->name));
  if (f->loss != NULL)
    return lar_loss_apply(f->loss, s, pred, matched(f->loss->type, s, pred, b->y), b->weight);
  lar_var *out = NULL;
  lar_status st = f->hooks.loss(f->hooks.ctx, pred, b, &out);
  return st == LAR_OK ? lar_scope_own(s, out) : lar_scope_fail(s, st);
}

static lar_status evaluate_part(lar_steps *st, const lar_batch *b, double *sum, double *rows,
                                lar_var **pred) {
  lar_scope s;
  lar_batch own = *b;
  lar_step step = {.kind = LAR_STEP_JUDGE, .batch = &own};
  double weight = lar_batch_rows(b);
  if (weight == 0) own.weight = NULL; /* a mean that counts for nothing */
  lar_scope_init(&s);
  lar_status status = lar_steps_run(st, &s, &step);
  if (status == LAR_OK && pred != NULL) status = lar_var_detach(pred, step.pred);
  lar_scope_clear(&s);
  *sum += step.loss * weight;
  *rows += weight;
  return status;
}

static lar_status evaluate(lar_steps *st, lar_dealer *deal, double *loss, lar_var **pred) {
  lar_kept kept = {0};
  lar_status status = LAR_OK;
  double sum = 0, rows = 0;
  for (bool end = false; status == LAR_OK && deal->at < deal->data->x->t.shape[0];) {
    lar_batch b = {0};
    lar_var *p = NULL;
    status = lar_dealer_next(deal, &b, &end);
    if (status == LAR_OK) status = evaluate_part(st, &b, &sum, &rows, pred != NULL ? &p : NULL);
    if (status == LAR_OK && pred != NULL) status = lar_kept_add(&kept, p, p);
    lar_var_unref(p);
    lar_batch_clear(&b);
  }
  if (status == LAR_OK && pred != NULL) status = lar_kept_join(pred, kept.pred, kept.n);
  *loss = rows > 0 ? sum / rows : (double)NAN;
  lar_kept_clear(&kept);
  return status;
}

lar_status lar_evaluate(const lar_fit *f, lar_steps *st, lar_dealer *deal,
                        const lar_batch *data, double *loss, lar_var **pred) {
  enum { LEAST = 1024 };
  deal->data = data;
  deal->at = 0;
  deal->size = f->batch_size > LEAST ? f->batch_size : LEAST;
  if (pred != NULL) *pred = NULL;
  bool mode = lar_grad_mode(false), training = f->model->training;
  lar_module_train(f->model, false);
  lar_status status = evaluate(st, deal, loss, pred);
  lar_module_train(f->model, training);
  lar_grad_mode(mode);
  return status;
}
