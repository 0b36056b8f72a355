#include "train/batches.h"

#include "core/mem.h"

/* ---- dealing ---- */

static lar_status take(lar_var **out, lar_var **slot, const lar_var *v, const lar_dealer *d,
                       int64_t end) {
  if (v == NULL) return LAR_OK;
  LAR_TRY(lar_rows_again(slot, &v->t, d->order, d->at, end));
  *out = lar_var_ref(*slot);
  return LAR_OK;
}

lar_status lar_dealer_next(lar_dealer *d, lar_batch *b, bool *end) {
  int64_t n = d->data->x->t.shape[0], stop = d->at + d->size < n ? d->at + d->size : n;
  bool small = stop - d->at < d->size;
  *end = d->at >= n || (d->drop_last && small && d->at > 0);
  if (*end) return LAR_OK;
  lar_batch *slot = &d->slot[small];
  LAR_TRY(take(&b->x, &slot->x, d->data->x, d, stop));
  LAR_TRY(take(&b->y, &slot->y, d->data->y, d, stop));
  LAR_TRY(take(&b->weight, &slot->weight, d->data->weight, d, stop));
  d->at = stop;
  return LAR_OK;
}

void lar_dealer_clear(lar_dealer *d) {
  for (int k = 0; k < 2; k++) lar_batch_clear(&d->slot[k]);
  lar_free(d->order);
  d->order = NULL;
}

/* ---- keeping ---- */

lar_status lar_kept_add(lar_kept *k, lar_var *pred, lar_var *y) {
  void *p = k->pred, *q = k->y;
  lar_status st = lar_grow(&p, &k->pred_cap, k->n + 1, sizeof *k->pred);
  k->pred = p;
  if (st == LAR_OK) st = lar_grow(&q, &k->y_cap, k->n + 1, sizeof *k->y);
  k->y = q;
  if (st != LAR_OK) return st;
  LAR_TRY(lar_var_detach(&k->pred[k->n], pred));
  k->y[k->n++] = lar_var_ref(y);
  return LAR_OK;
}

void lar_kept_forget(lar_kept *k) {
  while (k->n > 0) {
    k->n--;
    lar_var_unref(k->pred[k->n]);
    lar_var_unref(k->y[k->n]);
  }
}

void lar_kept_clear(lar_kept *k) {
  lar_kept_forget(k);
  lar_free(k->pred);
  lar_free(k->y);
  *k = (lar_kept){0};
}

lar_status lar_kept_join(lar_var **out, lar_var *const *part, size_t n) {
  lar_var *made[LAR_MAX_OUT];
  int nout;
  *out = NULL;
  if (n == 0) return LAR_OK;
  lar_attr first = {.n = 1, .i = {1}};
  LAR_TRY(lar_op_apply(LAR_OP(cat), &first, (int)n, part, &nout, made));
  *out = made[0];
  return LAR_OK;
}
