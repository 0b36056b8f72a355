#include "loss/loss.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"

const lar_loss *lar_loss_find(const char *name) {
  for (const lar_loss *const *p = lar_losses; *p != NULL; p++)
    if (strcmp((*p)->name, name) == 0) return *p;
  return NULL;
}

/* ---- criteria ---- */

lar_status lar_criterion_init(lar_criterion *c, const lar_loss *type) {
  *c = (lar_criterion){.type = type};
  LAR_TRY(lar_alloc(&c->self, type->size + 1, 1));
  lar_param_default(type->params, c->self);
  return LAR_OK;
}

lar_status lar_criterion_copy(lar_criterion *c, const lar_criterion *from) {
  LAR_TRY(lar_criterion_init(c, from->type));
  memcpy(c->self, from->self, from->type->size);
  c->reduction = from->reduction;
  for (int k = 0; k < LAR_LOSS_MAX_EXTRA; k++) c->extra[k] = lar_var_ref(from->extra[k]);
  return LAR_OK;
}

void lar_criterion_clear(lar_criterion *c) {
  for (int k = 0; k < LAR_LOSS_MAX_EXTRA; k++) lar_var_unref(c->extra[k]);
  lar_free(c->self);
  *c = (lar_criterion){0};
}

static const char *const reductions[] = {"mean", "sum", "none", "batchmean"};

const char *lar_reduction_name(lar_reduction r) { return reductions[r]; }

bool lar_reduction_find(const char *name, lar_reduction *out) {
  for (int k = 0; k < 4; k++)
    if (strcmp(reductions[k], name) == 0) return *out = (lar_reduction)k, true;
  return false;
}

bool lar_loss_extra(const lar_loss *type, int k, char *buf, size_t size) {
  const char *s = type->extra;
  for (; s != NULL && k > 0; k--) {
    s = strchr(s, ' ');
    if (s != NULL) s++;
  }
  if (s == NULL) return false;
  (void)snprintf(buf, size, "%.*s", (int)strcspn(s, " "), s);
  return true;
}

/* ---- checks ---- */

static lar_status check_labels(const lar_tensor *pred, const lar_tensor *y) {
  lar_tensor own = {0};
  if (pred->ndim != 2)
    return lar_fail(LAR_ESHAPE, "labels go with predictions (n, K), not %s",
                    lar_tensor_text(pred));
  if (y->ndim != 1 || y->shape[0] != pred->shape[0])
    return lar_fail(LAR_ESHAPE, "prediction %s and labels %s differ in rows",
                    lar_tensor_text(pred), lar_tensor_text(y));
  LAR_TRY(lar_contiguous(&own, y, LAR_I64));
  const int64_t *label = lar_tensor_data(&own);
  lar_status st = LAR_OK;
  for (int64_t i = 0; st == LAR_OK && i < y->shape[0]; i++)
    if (label[i] < 1 || label[i] > pred->shape[1])
      st = lar_fail(LAR_EARG, "label %lld in row %lld is not in 1..%lld", (long long)label[i],
                    (long long)(i + 1), (long long)pred->shape[1]);
  lar_tensor_clear(&own);
  return st;
}

static lar_status check_domain(const lar_loss *type, const lar_tensor *y) {
  lar_tensor own = {0};
  if (type->inside == NULL) return LAR_OK;
  LAR_TRY(lar_contiguous(&own, y, y->dtype));
  int64_t n = lar_tensor_numel(&own), rows = y->ndim > 0 ? y->shape[0] : 1;
  lar_status st = LAR_OK;
  for (int64_t k = 0; st == LAR_OK && k < n; k++)
    if (!type->inside(lar_tensor_get(&own, k)))
      st = lar_fail(LAR_EARG, "target %g in row %lld is not %s", lar_tensor_get(&own, k),
                    (long long)(k / (n / rows) + 1), type->domain);
  lar_tensor_clear(&own);
  return st;
}

static lar_status check_dense(const lar_loss *type, const lar_tensor *pred,
                              const lar_tensor *y) {
  if ((type->traits & LAR_LOSS_ROWS) && pred->ndim != 2)
    return lar_fail(LAR_ESHAPE, "predictions are (n, K), not %s", lar_tensor_text(pred));
  bool labels = (type->traits & LAR_LOSS_LABELS) && y->dtype == LAR_I64 && y->ndim > 0 &&
                y->shape[y->ndim - 1] == 1;
  if (!lar_tensor_same_shape(pred, y))
    return lar_fail(LAR_ESHAPE, "prediction %s and target %s differ in shape%s",
                    lar_tensor_text(pred), lar_tensor_text(y),
                    labels ? "; labels come one a row: target:squeeze(-1)" : "");
  return check_domain(type, y);
}

/* Labels where only they will do, or where the target holds integers, one a row. */
static bool by_label(const lar_loss *type, const lar_tensor *pred, const lar_tensor *y) {
  if (!(type->traits & LAR_LOSS_LABELS)) return false;
  return !(type->traits & LAR_LOSS_DENSE) || (y->dtype == LAR_I64 && y->ndim + 1 == pred->ndim);
}

static lar_status check_target(const lar_loss *type, const lar_tensor *pred,
                               const lar_tensor *y) {
  if (!lar_dtype_is_float(pred->dtype))
    return lar_fail(LAR_EDTYPE, "the prediction is %s; it must be a float tensor",
                    lar_dtype_name(pred->dtype));
  if (!by_label(type, pred, y)) {
    if ((type->traits & LAR_LOSS_LABELS) && y->ndim + 1 == pred->ndim)
      return lar_fail(LAR_EDTYPE, "labels must be int64, not %s; use target:long()",
                      lar_dtype_name(y->dtype));
    return check_dense(type, pred, y);
  }
  if (y->dtype != LAR_I64)
    return lar_fail(LAR_EDTYPE, "labels must be int64, not %s; use target:long()",
                    lar_dtype_name(y->dtype));
  return check_labels(pred, y);
}

static lar_status check_weight(const lar_tensor *pred, const lar_tensor *w) {
  if (w->ndim != 1 || pred->ndim < 1 || w->shape[0] != pred->shape[0])
    return lar_fail(LAR_ESHAPE, "weight %s does not go with prediction %s: one number a row",
                    lar_tensor_text(w), lar_tensor_text(pred));
  double sum = 0;
  for (int64_t i = 0; i < w->shape[0]; i++) {
    double v = lar_tensor_get(w, i * w->stride[0]);
    if (!(v >= 0))
      return lar_fail(LAR_EARG, "weight %g in row %lld is not a number >= 0", v,
                      (long long)(i + 1));
    sum += v;
  }
  return sum > 0 ? LAR_OK : lar_fail(LAR_EARG, "the weights are all zero");
}

static lar_status check_extra(const lar_criterion *c, const lar_tensor *pred) {
  char name[32];
  int64_t k = pred->ndim > 0 ? pred->shape[pred->ndim - 1] : 1;
  for (int e = 0; lar_loss_extra(c->type, e, name, sizeof name); e++) {
    if (c->extra[e] == NULL) continue;
    const lar_tensor *t = &c->extra[e]->t;
    if (lar_tensor_numel(t) == 1 && !(c->type->traits & LAR_LOSS_LABELS)) continue;
    if (t->ndim != 1 || t->shape[0] != k)
      return lar_fail(LAR_ESHAPE, "%s %s does not go with prediction %s: it takes %lld numbers",
                      name, lar_tensor_text(t), lar_tensor_text(pred), (long long)k);
  }
  return LAR_OK;
}

static lar_status check(const lar_criterion *c, lar_var *pred, lar_var *target,
                        lar_var *weight) {
  LAR_TRY(check_target(c->type, &pred->t, &target->t));
  LAR_TRY(check_extra(c, &pred->t));
  if (weight != NULL) LAR_TRY(check_weight(&pred->t, &weight->t));
  if (lar_tensor_numel(&pred->t) == 0 && c->reduction != LAR_EACH && c->reduction != LAR_SUM)
    return lar_fail(LAR_ESHAPE, "prediction %s is empty and has no mean",
                    lar_tensor_text(&pred->t));
  return LAR_OK;
}

/* ---- reduction ---- */

static lar_var *per_row(lar_scope *s, lar_var *e, double rows) {
  return lar_affine(s, lar_sum(s, e), 1 / rows, 0);
}

static lar_var *plain(const lar_criterion *c, lar_scope *s, lar_var *e, lar_var *scale) {
  switch (c->reduction) {
  case LAR_EACH: return e;
  case LAR_SUM: return lar_sum(s, e);
  case LAR_BATCHMEAN: return per_row(s, e, e->t.ndim > 0 ? (double)e->t.shape[0] : 1);
  default: return scale == NULL ? lar_mean(s, e) : lar_div(s, lar_sum(s, e), lar_sum(s, scale));
  }
}

/* Every row's loss is weighed: l_i is the mean over the row's elements. */
static lar_var *weighed(const lar_criterion *c, lar_scope *s, lar_var *e, lar_var *scale,
                        lar_var *w) {
  int64_t n = e->t.shape[0], shape[LAR_MAX_NDIM] = {n}, width = lar_tensor_numel(&e->t) / n;
  for (int d = 1; d < e->t.ndim; d++) shape[d] = 1;
  w = lar_cast(s, w, e->t.dtype);
  lar_var *we = lar_mul(s, e, e->t.ndim > 1 ? lar_reshape(s, w, e->t.ndim, shape) : w);
  if (c->reduction == LAR_EACH) return we;
  lar_var *sum = lar_sum(s, we);
  if (c->reduction == LAR_SUM) return sum;
  if (c->reduction == LAR_MEAN && width > 1) sum = lar_affine(s, sum, 1 / (double)width, 0);
  return lar_div(s, sum, lar_sum(s, scale == NULL ? w : lar_mul(s, w, scale)));
}

lar_var *lar_loss_apply(const lar_criterion *c, lar_scope *s, lar_var *pred, lar_var *target,
                        lar_var *weight) {
  const lar_loss *type = c->type;
  if (s->status != LAR_OK || pred == NULL || target == NULL) return NULL;
  lar_status st = check(c, pred, target, weight);
  if (st != LAR_OK) return lar_scope_fail(s, lar_fail(st, "%s: %s", type->name, lar_why()));
  lar_var *scale = NULL, *extra[LAR_LOSS_MAX_EXTRA];
  for (int k = 0; k < LAR_LOSS_MAX_EXTRA; k++)
    extra[k] = lar_cast(s, c->extra[k], pred->t.dtype);
  if (!by_label(type, &pred->t, &target->t)) target = lar_cast(s, target, pred->t.dtype);
  lar_var *e = type->each(c->self, s, pred, target, extra, &scale);
  if (e == NULL || s->status != LAR_OK) return NULL;
  return weight == NULL ? plain(c, s, e, scale) : weighed(c, s, e, scale, weight);
}

/* ---- for entries ---- */

lar_var *lar_loss_pick(lar_scope *s, lar_var *pred, lar_var *labels) {
  lar_attr attr = {.n = 1, .i = {2}};
  lar_var *in[] = {pred, lar_unsqueeze(s, labels, 2)};
  return lar_squeeze(s, lar_apply(s, LAR_OP(gather), &attr, 2, in), 2);
}

lar_var *lar_loss_lookup(lar_scope *s, lar_var *v, lar_var *labels) {
  lar_attr attr = {.n = 1, .i = {1}};
  return lar_apply(s, LAR_OP(index_select), &attr, 2, (lar_var *[]){v, labels});
}
