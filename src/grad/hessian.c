#include "grad/hessian.h"

#include "core/mem.h"
#include "grad/grad.h"
#include "op/calc.h"

/* Gradients, the scope's. */
static lar_status slopes(lar_scope *s, lar_var *f, int n, lar_var *const *x, bool again,
                         lar_var **dx) {
  LAR_TRY(lar_grad(f, NULL, n, x, again, dx));
  for (int k = 0; k < n; k++) (void)lar_scope_own(s, dx[k]);
  return s->status;
}

/* <gradient, v>, recorded. */
static lar_var *along(lar_scope *s, int n, lar_var *const *x, lar_var *const *dx, lar_var *v) {
  lar_var *sum = NULL;
  int64_t from = 1;
  for (int k = 0; k < n; k++) {
    const lar_tensor *t = &x[k]->t;
    int64_t size = lar_tensor_numel(t);
    lar_var *dir = lar_reshape(s, lar_narrow(s, v, 1, from, size), t->ndim, t->shape);
    lar_var *term = lar_sum(s, lar_mul(s, dx[k], lar_cast(s, dir, t->dtype)));
    sum = sum != NULL ? lar_add(s, sum, term) : term;
    from += size;
  }
  return sum;
}

lar_status lar_hessian_times(lar_scope *s, lar_var *f, const lar_params *p, lar_var *v,
                             lar_var **out) {
  void *room;
  int n = 0, k = 0;
  LAR_TRY(lar_alloc(&room, 2 * (size_t)p->n + 1, sizeof(lar_var *)));
  lar_var **x = room, **dx = x + p->n;
  for (int i = 0; i < p->n; i++) {
    out[i] = NULL;
    if (p->at[i].var->requires_grad) x[n++] = p->at[i].var;
  }
  lar_status st = slopes(s, f, n, x, true, dx);
  lar_var *slope = st == LAR_OK ? along(s, n, x, dx, v) : NULL;
  if (st == LAR_OK) st = s->status;
  bool bends = st == LAR_OK && slope != NULL && slope->requires_grad;
  if (bends) st = slopes(s, slope, n, x, false, dx);
  for (int i = 0; bends && st == LAR_OK && i < p->n; i++)
    if (p->at[i].var->requires_grad) out[i] = dx[k++];
  lar_free(room);
  return st;
}
