#include "op/op.h"

#include <stddef.h>
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"
#include "op/calc.h"
#include "op/call.h"
#include "op/engine.h"

enum { SMALL = 8 };

static _Thread_local lar_observer *observer;
static _Thread_local void *observer_ctx;
static _Thread_local lar_tracer *tracer;
static uint64_t calls_made;

void lar_op_observe(lar_observer *fn, void *ctx) {
  observer = fn;
  observer_ctx = ctx;
}

bool lar_op_observed(void) { return observer != NULL || tracer != NULL; }

lar_tracer *lar_op_listen(lar_tracer *t) {
  lar_tracer *former = tracer;
  tracer = t;
  return former;
}

bool lar_op_traced(void) { return tracer != NULL; }

lar_status lar_op_peek(const char *what) {
  return tracer != NULL ? tracer->peeked(tracer, what) : LAR_OK;
}

void lar_op_drew(const lar_draw *d, const lar_tensor *out) {
  if (tracer != NULL) tracer->drew(tracer, d, out);
}

uint64_t lar_op_seq(void) { return calls_made; }

const lar_op *lar_op_find(const char *name) {
  for (const lar_op *const *op = lar_ops; *op != NULL; op++)
    if (strcmp((*op)->name, name) == 0) return *op;
  return NULL;
}

static lar_status named(const lar_op *op, lar_status st) {
  size_t n = strlen(op->name);
  const char *why = lar_why();
  if (strncmp(why, op->name, n) == 0 && why[n] == ':') return st;
  return lar_fail(st, "%s: %s", op->name, why);
}

/* ---- recording ---- */

/* Room for a call with all that it points at. */
static lar_status call_room(lar_call **out, const lar_attr *attr, size_t nin, size_t nout) {
  size_t tensors = nout > 1 ? nout : 0;
  size_t head = offsetof(lar_call, attr.i) + ((size_t)attr->n + 1) * sizeof *attr->i;
  void *p;
  LAR_TRY(lar_alloc_raw(&p,
                        head + nin * sizeof(lar_var *) + tensors * sizeof(lar_tensor) +
                          (nin + nout) * sizeof(uint32_t),
                        1));
  lar_call *c = *out = p;
  c->in = (lar_var **)(void *)((char *)p + head);
  c->out = (lar_tensor *)(c->in + nin);
  c->version = (uint32_t *)(c->out + tensors);
  return LAR_OK;
}

/* An output's elements are kept unless only its shape is wanted. */
static void keep_output(lar_call *c, int k, lar_var *v) {
  c->version[c->nin + k] = v->t.storage->version;
  if (c->nout == 1) {
    c->made = v;
  } else {
    c->out[k] = v->t;
    if (c->op->traits & LAR_OP_LINEAR)
      c->out[k].storage = NULL;
    else
      lar_storage_ref(c->out[k].storage);
  }
  if (!lar_dtype_is_float(v->t.dtype)) return;
  v->maker = lar_call_ref(c);
  v->index = k;
  v->requires_grad = true;
}

lar_status lar_call_record(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                           int nout, lar_var **out) {
  lar_call *c;
  LAR_TRY(call_room(&c, attr, (size_t)nin, (size_t)nout));
  c->op = op;
  c->refs = 0;
  c->nin = nin;
  c->nout = nout;
  c->seq = ++calls_made;
  c->mark = 0;
  lar_attr_copy(&c->attr, attr);
  for (int j = 0; j < nin; j++) {
    c->in[j] = lar_var_ref(in[j]);
    c->version[j] = in[j]->t.storage->version;
  }
  for (int k = 0; k < nout; k++) keep_output(c, k, out[k]);
  if (c->refs == 0) { /* no float output to hang on to */
    c->refs = 1;
    lar_call_unref(c);
  }
  return LAR_OK;
}

lar_status lar_call_output(lar_call *c, int k, lar_var **out) {
  *out = NULL;
  if (c->nout == 1) {
    *out = lar_var_ref(c->made);
    return LAR_OK;
  }
  if (c->out[k].storage == NULL) return LAR_OK;
  LAR_TRY(lar_var_new(out, &c->out[k]));
  if (lar_dtype_is_float(c->out[k].dtype)) {
    (*out)->maker = lar_call_ref(c);
    (*out)->index = k;
    (*out)->requires_grad = true;
  }
  return LAR_OK;
}

static const lar_tensor *touched(const lar_call *c, int j) {
  if (j < c->nin) return &c->in[j]->t;
  return c->nout == 1 ? &c->made->t : &c->out[j - c->nin];
}

lar_status lar_call_fresh(const lar_call *c) {
  if (c->op->traits & LAR_OP_LINEAR) return LAR_OK;
  for (int j = 0; j < c->nin + c->nout; j++) {
    const lar_tensor *t = touched(c, j);
    if (t->storage->version != c->version[j])
      return lar_fail(LAR_EARG,
                      "backward: a tensor of shape %s that the derivative of '%s' needs was "
                      "changed in place after it was used; clone it before the change",
                      lar_tensor_text(t), c->op->name);
  }
  return LAR_OK;
}

/* ---- applying ---- */

static bool wants_grad(int nin, lar_var *const *in) {
  for (int j = 0; j < nin; j++)
    if (in[j]->requires_grad) return true;
  return false;
}

/* Wrap the tensors a forward made as values; takes over (or clears) them either way. */
static lar_status box(lar_io *io, lar_status st, lar_var **out) {
  int made = 0;
  for (; st == LAR_OK && made < io->nout; made++) {
    st = lar_var_adopt(&out[made], &io->out[made]);
    if (st != LAR_OK) break;
  }
  for (int k = made; k < LAR_MAX_OUT; k++) lar_tensor_clear(&io->out[k]);
  while (st != LAR_OK && made > 0) lar_var_unref(out[--made]);
  return st;
}

static lar_status run(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                      int *nout, lar_var **out) {
  const lar_tensor *few[SMALL], **t = few;
  void *many = NULL;
  if (nin > SMALL) {
    LAR_TRY(lar_alloc_raw(&many, (size_t)nin, sizeof *t));
    t = many;
  }
  for (int j = 0; j < nin; j++) t[j] = &in[j]->t;
  lar_io io;
  io.op = op, io.attr = attr, io.nin = nin, io.nout = 0, io.in = t;
  for (int k = 0; k < LAR_MAX_OUT; k++) io.out[k].storage = NULL;
  lar_status st = op->forward != NULL ? op->forward(&io) : lar_map_forward(&io);
  lar_free(many);
  if (st != LAR_OK) st = named(op, st);
  st = box(&io, st, out);
  if (st != LAR_OK) return st;
  if (op->vjp != NULL && lar_grad_enabled() && wants_grad(nin, in))
    st = lar_call_record(op, attr, nin, in, io.nout, out);
  for (int k = 0; st != LAR_OK && k < io.nout; k++) lar_var_unref(out[k]);
  if (st == LAR_OK) *nout = io.nout;
  return st;
}

/* Elementwise on a few elements: no more than has to be. */
static lar_status small(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                        lar_var **out, bool *done) {
  *done = false;
  if (op->map[0] == NULL) return LAR_OK;
  LAR_TRY(lar_map_small(op, attr, nin, in, out, done));
  if (!*done || op->vjp == NULL || !lar_grad_enabled() || !wants_grad(nin, in)) return LAR_OK;
  lar_status st = lar_call_record(op, attr, nin, in, 1, out);
  if (st != LAR_OK) lar_var_unref(*out);
  return st;
}

static lar_status composed(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                           int *nout, lar_var **out) {
  lar_scope s;
  lar_scope_init(&s);
  lar_var *v = op->compose(&s, attr, nin, in);
  lar_status st = lar_scope_take(&s, v, &out[0]);
  lar_scope_clear(&s);
  if (st == LAR_OK) *nout = 1;
  return st == LAR_OK ? st : named(op, st);
}

lar_status lar_op_apply(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                        int *nout, lar_var **out) {
  lar_attr defaults;
  *nout = 0;
  for (int j = 0; j < nin; j++)
    if (in[j] == NULL) return lar_fail(LAR_ECALL, "%s: input %d is missing", op->name, j + 1);
  if (nin < 1 || (op->nin >= 0 && nin != op->nin))
    return lar_fail(LAR_EARG, "%s: takes %d tensors, not %d", op->name, op->nin, nin);
  if (attr == NULL) {
    lar_attr_reset(&defaults, op);
    attr = &defaults;
  }
  if (op->compose != NULL) return composed(op, attr, nin, in, nout, out);
  bool done;
  LAR_TRY(small(op, attr, nin, in, out, &done));
  if (done)
    *nout = 1;
  else
    LAR_TRY(run(op, attr, nin, in, nout, out));
  if (observer != NULL) observer(observer_ctx, op, attr, nin, in, *nout, out);
  if (tracer != NULL) tracer->applied(tracer, op, attr, nin, in, *nout, out);
  return LAR_OK;
}

/* ---- in place ---- */

lar_status lar_var_assign(lar_var *dst, const lar_tensor *src) {
  LAR_TRY(lar_copy(&dst->t, src));
  dst->t.storage->version++;
  if (tracer != NULL) tracer->assigned(tracer, dst, src);
  return LAR_OK;
}

static lar_status into_by_copy(lar_var *dst, const lar_op *op, const lar_attr *attr, int nin,
                               lar_var *const *in) {
  lar_var *out[LAR_MAX_OUT];
  int nout;
  bool former = lar_grad_mode(false);
  lar_status st = lar_op_apply(op, attr, nin, in, &nout, out);
  lar_grad_mode(former);
  LAR_TRY(st);
  const lar_tensor *made = &out[0]->t;
  if (!lar_tensor_same_shape(made, &dst->t))
    st = lar_fail(LAR_ESHAPE, "the result has shape %s and does not fit into %s",
                  lar_tensor_text(made), lar_tensor_text(&dst->t));
  else if (lar_dtype_is_float(made->dtype) && !lar_dtype_is_float(dst->t.dtype))
    st = lar_fail(LAR_EDTYPE, "a %s result does not fit into a tensor of %s",
                  lar_dtype_name(made->dtype), lar_dtype_name(dst->t.dtype));
  else
    st = lar_var_assign(dst, made);
  for (int k = 0; k < nout; k++) lar_var_unref(out[k]);
  return st;
}

lar_status lar_op_into(lar_var *dst, const lar_op *op, const lar_attr *attr, int nin,
                       lar_var *const *in) {
  const lar_tensor *t[SMALL];
  lar_attr defaults;
  if (attr == NULL) {
    lar_attr_reset(&defaults, op);
    attr = &defaults;
  }
  lar_status st = lar_var_writable(dst, false);
  if (st == LAR_OK && lar_grad_enabled() && wants_grad(nin, in))
    st = lar_fail(LAR_EARG, "writing in place would lose the derivative of the value; use the "
                            "form without '_', or value:detach()");
  bool done = false;
  if (st == LAR_OK && op->map[0] != NULL && nin <= SMALL && tracer == NULL) {
    for (int j = 0; j < nin; j++) t[j] = &in[j]->t;
    st = lar_map_into(op, attr, nin, t, &dst->t, &done);
  }
  if (done) dst->t.storage->version++;
  if (st == LAR_OK && !done) st = into_by_copy(dst, op, attr, nin, in);
  return st == LAR_OK ? LAR_OK : named(op, st);
}

/* ---- helpers for forward ---- */

lar_status lar_dim(int64_t d, int ndim, int *out) {
  *out = 0;
  int64_t at = d < 0 ? d + ndim : d - 1;
  if (d == 0 || at < 0 || at >= ndim)
    return lar_fail(LAR_ESHAPE, "dimension %lld is not in 1..%d (or -%d..-1)", (long long)d,
                    ndim, ndim);
  *out = (int)at;
  return LAR_OK;
}

lar_status lar_index(int64_t i, int64_t size, int64_t *out) {
  *out = 0;
  int64_t at = i < 0 ? i + size : i - 1;
  if (i == 0 || at < 0 || at >= size)
    return lar_fail(LAR_ESHAPE, "index %lld is not in 1..%lld (or from the end, -%lld..-1)",
                    (long long)i, (long long)size, (long long)size);
  *out = at;
  return LAR_OK;
}

lar_status lar_indices(const int64_t *i, int64_t n, int64_t size) {
  int64_t missed = 0, at;
  for (int64_t k = 0; k < n; k++) missed |= (i[k] == 0) | (i[k] > size) | (i[k] < -size);
  for (int64_t k = 0; missed && k < n; k++) LAR_TRY(lar_index(i[k], size, &at));
  return LAR_OK;
}

lar_status lar_dims(const lar_attr *a, int from, int ndim, bool *covered) {
  for (int d = 0; d < ndim; d++) covered[d] = a->n <= from;
  for (int k = from; k < a->n; k++) {
    int d;
    LAR_TRY(lar_dim(a->i[k], ndim, &d));
    if (covered[d])
      return lar_fail(LAR_ESHAPE, "dimension %lld is named twice", (long long)a->i[k]);
    covered[d] = true;
  }
  return LAR_OK;
}
