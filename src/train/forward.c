#include "train/forward.h"

#include "core/mem.h"
#include "op/calc.h"
#include "op/random.h"

/* ---- noise on weights ---- */

/* What each parameter's slots hold for the time of the pass; NULL: itself. */
static lar_status make_noise(const lar_forward *f, lar_scope *s, lar_var ***out) {
  void *p;
  *out = NULL;
  if (f->bound == NULL || !f->model->training) return LAR_OK;
  for (int i = 0; s->status == LAR_OK && i < f->params->n; i++) {
    lar_var *w = f->params->at[i].var;
    double std = lar_bound_noise(f->bound, i);
    if (std == 0) continue;
    if (*out == NULL) {
      LAR_TRY(lar_alloc(&p, (size_t)f->params->n, sizeof **out));
      *out = p;
    }
    (*out)[i] = lar_add(s, w, lar_normal_like(s, w, 0, std, "dropout"));
  }
  return s->status;
}

static void swap(const lar_forward *f, lar_var *const *noisy, bool back) {
  for (int i = 0; noisy != NULL && i < f->params->n; i++) {
    lar_var *w = f->params->at[i].var;
    if (noisy[i] != NULL) lar_module_swap(f->model, back ? noisy[i] : w, back ? w : noisy[i]);
  }
}

/* ---- the pass ---- */

/* x, asking for a gradient. */
static lar_var *leaf(lar_scope *s, lar_var *x) {
  if (x->requires_grad || !lar_dtype_is_float(x->t.dtype)) return x;
  lar_var *v = lar_detach(s, x);
  if (v != NULL) v->requires_grad = true;
  return v;
}

static lar_status run(lar_forward *f, lar_scope *s, lar_var *x, unsigned sees) {
  lar_outputs seen = {0}, *former = NULL;
  lar_var **noisy;
  lar_status st = make_noise(f, s, &noisy);
  if (st == LAR_OK && (sees & LAR_SEES_INPUT)) x = leaf(s, x);
  if (sees & LAR_SEES_LAYERS) former = lar_module_watch(&seen);
  swap(f, noisy, false);
  if (st == LAR_OK) f->pred = lar_module_forward(f->model, s, x);
  swap(f, noisy, true);
  if (sees & LAR_SEES_LAYERS) (void)lar_module_watch(former);
  if (s->status == LAR_OK && f->loss != NULL) f->value = f->loss(f->ctx, s, f->pred);
  if (s->status == LAR_OK && sees != 0) {
    lar_pass pass = {.x = x, .pred = f->pred, .loss = f->value};
    f->penalty = lar_bound_forward(f->bound, s, &pass, &seen, f->each, f->term);
  }
  lar_free(noisy);
  lar_outputs_clear(&seen);
  return st == LAR_OK ? s->status : st;
}

lar_status lar_forward_run(lar_forward *f, lar_scope *s, lar_var *x) {
  unsigned sees = f->bound != NULL ? lar_bound_sees(f->bound) : 0;
  bool former = (sees & LAR_SEES_INPUT) ? lar_grad_mode(true) : lar_grad_enabled();
  lar_status st = run(f, s, x, sees);
  (void)lar_grad_mode(former);
  return st;
}
