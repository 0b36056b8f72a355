/* Gradients that are more than those of one pass: collected over several, or taken uphill. */
#include "core/par.h"
#include "kern/copy.h"
#include "optim/pass.h"
#include "optim/step.h"

typedef struct join {
  const lar_tensor *x, *y;
  double share;
} join;

static void join_part(void *ctx, int64_t begin, int64_t end) {
  const join *j = ctx;
  const int64_t size = (int64_t)lar_dtype_size(j->x->dtype);
  (j->x->dtype == LAR_F32 ? lar_join_f32 : lar_join_f64)(
    end - begin, (char *)lar_tensor_data(j->x) + begin * size,
    (const char *)lar_tensor_data(j->y) + begin * size, j->share);
}

/* x += share y, for contiguous x. */
static lar_status add(const lar_tensor *x, const lar_tensor *y, double share) {
  lar_tensor flat = {0};
  LAR_TRY(lar_contiguous(&flat, y, x->dtype));
  join j = {x, &flat, share};
  lar_par_for(lar_tensor_numel(x), LAR_STEP_GRAIN, join_part, &j);
  lar_tensor_clear(&flat);
  return LAR_OK;
}

static void drop_gradients(lar_optim *o) {
  for (int i = 0; i < o->params.n; i++) {
    lar_var_unref(o->params.at[i].var->grad);
    o->params.at[i].var->grad = NULL;
  }
}

/* ---- over several passes ---- */

lar_status lar_optim_collect(lar_optim *o, double weight) {
  for (int i = 0; i < o->params.n; i++) {
    const lar_var *v = o->params.at[i].var;
    if (o->collected == 0) lar_tensor_clear(&o->sum[i]);
    if (v->grad == NULL) continue;
    LAR_TRY(lar_optim_like(&o->sum[i], &v->t));
    LAR_TRY(add(&o->sum[i], &v->grad->t, weight));
  }
  o->collected += weight;
  drop_gradients(o);
  return LAR_OK;
}

void lar_optim_collected(lar_optim *o) {
  for (int i = 0; o->collected > 0 && i < o->params.n; i++) {
    const lar_tensor *t = &o->sum[i];
    if (t->storage != NULL)
      (t->dtype == LAR_F32 ? lar_clip_f32 : lar_clip_f64)(
        lar_tensor_numel(t), lar_tensor_data(t), 1 / o->collected, HUGE_VAL);
  }
}

/* ---- uphill ---- */

static double gradient_norm(const lar_optim *o, lar_status *st) {
  double sum = 0;
  for (int i = 0; *st == LAR_OK && i < o->params.n; i++) {
    const lar_var *v = o->params.at[i].var;
    lar_tensor flat = {0};
    if (v->grad == NULL) continue;
    *st = lar_contiguous(&flat, &v->grad->t, v->t.dtype);
    if (*st == LAR_OK) sum += lar_optim_squares(&flat);
    lar_tensor_clear(&flat);
  }
  return sqrt(sum);
}

static lar_status keep_aside(lar_optim *o) {
  for (int i = 0; i < o->params.n; i++) {
    const lar_tensor *w = &o->params.at[i].var->t;
    LAR_TRY(lar_optim_like(&o->aside[i], w));
    LAR_TRY(lar_copy(&o->aside[i], w));
  }
  return LAR_OK;
}

lar_status lar_optim_ascend(lar_optim *o) {
  lar_status st = LAR_OK;
  lar_optim_descend(o);
  double norm = gradient_norm(o, &st);
  if (st == LAR_OK) st = keep_aside(o);
  if (st != LAR_OK || !(norm > 0 && norm < HUGE_VAL)) {
    drop_gradients(o);
    return st;
  }
  o->ascended = true;
  for (int i = 0; st == LAR_OK && i < o->params.n; i++) {
    lar_var *v = o->params.at[i].var;
    if (v->grad == NULL || !v->requires_grad) continue;
    lar_tensor up = {0};
    st = lar_contiguous(&up, &v->t, v->t.dtype); /* itself, as a rule */
    if (st == LAR_OK) st = add(&up, &v->grad->t, o->sam / norm);
    if (st == LAR_OK && lar_tensor_data(&up) != lar_tensor_data(&v->t))
      st = lar_copy(&v->t, &up);
    v->t.storage->version++;
    lar_tensor_clear(&up);
  }
  drop_gradients(o);
  if (st != LAR_OK) lar_optim_descend(o);
  return st;
}

void lar_optim_descend(lar_optim *o) {
  for (int i = 0; o->ascended && i < o->params.n; i++) {
    lar_tensor *w = &o->params.at[i].var->t;
    if (!o->params.at[i].var->requires_grad) continue;
    (void)lar_copy(w, &o->aside[i]); /* of its shape: cannot fail */
    w->storage->version++;
  }
  o->ascended = false;
}
