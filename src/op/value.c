#include <string.h>

#include "core/mem.h"
#include "op/call.h"
#include "op/op.h"

lar_dtype lar_default_dtype = LAR_F32;

static _Thread_local bool grad_on = true;

bool lar_grad_mode(bool on) {
  bool former = grad_on;
  grad_on = on;
  return former;
}

bool lar_grad_enabled(void) { return grad_on; }

lar_status lar_var_new(lar_var **out, const lar_tensor *t) {
  lar_tensor own;
  lar_tensor_ref(&own, t);
  lar_status st = lar_var_adopt(out, &own);
  if (st != LAR_OK) lar_tensor_clear(&own);
  return st;
}

lar_status lar_var_adopt(lar_var **out, lar_tensor *t) {
  _Static_assert(sizeof(lar_var) <= LAR_STORAGE_ROOM, "a value fits beside its elements");
  void *p = lar_storage_room(t->storage);
  *out = NULL;
  bool inside = p != NULL;
  if (!inside) LAR_TRY(lar_alloc_raw(&p, 1, sizeof(lar_var)));
  lar_var *v = p;
  v->inside = inside;
  v->refs = 1;
  v->index = 0;
  v->requires_grad = false;
  v->maker = NULL;
  v->grad = NULL;
  v->t = *t;
  t->storage = NULL;
  *out = v;
  return LAR_OK;
}

lar_status lar_var_like(lar_var **out, lar_dtype dtype, const lar_tensor *like) {
  lar_tensor t;
  t.offset = 0;
  t.dtype = dtype;
  t.ndim = like->ndim;
  memcpy(t.shape, like->shape, (size_t)like->ndim * sizeof *t.shape);
  lar_shape_strides(t.ndim, t.shape, t.stride);
  LAR_TRY(lar_storage_new(&t.storage, (size_t)lar_tensor_numel(like) * lar_dtype_size(dtype)));
  lar_status st = lar_var_adopt(out, &t);
  if (st != LAR_OK) lar_tensor_clear(&t);
  return st;
}

lar_status lar_var_init(lar_var **out, lar_dtype dtype, int ndim, const int64_t *shape) {
  lar_tensor t = {0};
  *out = NULL;
  LAR_TRY(lar_tensor_init(&t, dtype, ndim, shape));
  lar_status st = lar_var_adopt(out, &t);
  lar_tensor_clear(&t);
  return st;
}

lar_status lar_var_scalar(lar_var **out, lar_dtype dtype, double value) {
  LAR_TRY(lar_var_init(out, dtype, 0, NULL));
  lar_tensor_put(&(*out)->t, 0, value);
  return LAR_OK;
}

lar_var *lar_var_ref(lar_var *v) {
  if (v != NULL) v->refs++;
  return v;
}

/* Graphs can be very deep, so letting go of one must not recurse: calls that lose their
 * last reference wait in a list threaded through `in[0]->maker`'s place, their mark. */
typedef struct pending {
  lar_call *head;
} pending;

static void drop_var(lar_var *v, pending *todo);

static void drop_call(lar_call *c, pending *todo) {
  if (c == NULL || --c->refs > 0) return;
  c->seq = (uint64_t)(uintptr_t)todo->head; /* a dead call's order is free to hold a link */
  todo->head = c;
}

static void drop_var(lar_var *v, pending *todo) {
  while (v != NULL && --v->refs == 0) {
    lar_var *grad = v->grad;
    drop_call(v->maker, todo);
    lar_tensor_clear(&v->t);
    if (v->inside)
      lar_storage_leave(v);
    else
      lar_free(v);
    v = grad;
  }
}

static void drain(pending *todo) {
  while (todo->head != NULL) {
    lar_call *c = todo->head;
    todo->head = (lar_call *)(uintptr_t)c->seq;
    for (int j = 0; j < c->nin; j++) drop_var(c->in[j], todo);
    for (int k = 0; k < c->nout && c->nout > 1; k++) lar_tensor_clear(&c->out[k]);
    lar_free(c);
  }
}

void lar_var_unref(lar_var *v) {
  if (v == NULL) return;
  pending todo = {NULL};
  drop_var(v, &todo);
  drain(&todo);
}

lar_call *lar_call_ref(lar_call *c) {
  if (c != NULL) c->refs++;
  return c;
}

void lar_call_unref(lar_call *c) {
  pending todo = {NULL};
  drop_call(c, &todo);
  drain(&todo);
}

lar_status lar_var_detach(lar_var **out, const lar_var *v) { return lar_var_new(out, &v->t); }

lar_status lar_var_item(const lar_var *v, double *out) {
  *out = 0;
  if (lar_tensor_numel(&v->t) != 1)
    return lar_fail(LAR_ESHAPE, "item: a tensor of shape %s does not hold one element",
                    lar_tensor_text(&v->t));
  *out = lar_tensor_get(&v->t, 0);
  return LAR_OK;
}

lar_status lar_var_writable(const lar_var *dst, bool overwrite) {
  if (!grad_on || !dst->requires_grad) return LAR_OK;
  if (dst->maker != NULL)
    return lar_fail(LAR_EARG, "a tensor with a derivative recorded cannot be changed in place; "
                              "work on x:clone(), or inside lariat.no_grad");
  if (!overwrite)
    return lar_fail(LAR_EARG, "a tensor that requires a gradient cannot be changed in place; "
                              "do it inside lariat.no_grad(function() ... end)");
  return LAR_OK;
}

/* ---- scope ---- */

enum { FIRST = sizeof(((lar_scope *)0)->first) / sizeof(lar_var *) };

void lar_scope_init(lar_scope *s) {
  s->status = LAR_OK;
  s->n = 0;
  s->cap = FIRST;
  s->own = s->first;
}

void lar_scope_clear(lar_scope *s) {
  while (s->n > 0) lar_var_unref(s->own[--s->n]);
  if (s->own != s->first) lar_free(s->own);
  s->own = s->first;
  s->cap = FIRST;
}

lar_var *lar_scope_fail(lar_scope *s, lar_status st) {
  if (s->status == LAR_OK) s->status = st;
  return NULL;
}

static lar_status grow(lar_scope *s) {
  void *fresh;
  LAR_TRY(lar_alloc_raw(&fresh, (size_t)s->cap * 2, sizeof *s->own));
  memcpy(fresh, s->own, (size_t)s->n * sizeof *s->own);
  if (s->own != s->first) lar_free(s->own);
  s->own = fresh;
  s->cap *= 2;
  return LAR_OK;
}

lar_var *lar_scope_own(lar_scope *s, lar_var *v) {
  if (v == NULL) return NULL;
  lar_status st = s->n == s->cap ? grow(s) : LAR_OK;
  if (st != LAR_OK) {
    lar_var_unref(v);
    return lar_scope_fail(s, st);
  }
  return s->own[s->n++] = v;
}

lar_var *lar_apply(lar_scope *s, const lar_op *op, const lar_attr *attr, int nin,
                   lar_var *const *in) {
  if (s->status != LAR_OK) return NULL;
  lar_var *out[LAR_MAX_OUT];
  int nout = 0;
  lar_status st = lar_op_apply(op, attr, nin, in, &nout, out);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  for (int k = 1; k < nout; k++) lar_var_unref(out[k]);
  return lar_scope_own(s, out[0]);
}

lar_status lar_scope_take(lar_scope *s, lar_var *v, lar_var **out) {
  *out = s->status == LAR_OK ? lar_var_ref(v) : NULL;
  if (s->status == LAR_OK && v == NULL)
    return lar_fail(LAR_ECALL, "a formula used a value that an earlier step did not give");
  return s->status;
}
