#include "grad/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "op/calc.h"
#include "op/call.h"

static _Thread_local int open_traces;

int lar_trace_holds(void) { return open_traces; }

void lar_trace_spoil(lar_trace *t, const char *fmt, ...) {
  va_list ap;
  if (t->why[0] != '\0') return;
  va_start(ap, fmt);
  (void)vsnprintf(t->why, sizeof t->why, fmt, ap);
  va_end(ap);
}

/* ---- buffers ---- */

static size_t hash(const lar_storage *s) {
  uint64_t x = (uint64_t)(uintptr_t)s * 0x9e3779b97f4a7c15u;
  return (size_t)(x >> 20);
}

static int find(const lar_trace *t, const lar_storage *s) {
  if (t->slots == 0) return -1;
  for (size_t at = hash(s) % t->slots;; at = (at + 1) % t->slots) {
    if (t->slot[at] == 0) return -1;
    if (t->buf[t->slot[at] - 1].s == s) return t->slot[at] - 1;
  }
}

static void enlist(lar_trace *t, int k) {
  size_t at = hash(t->buf[k].s) % t->slots;
  while (t->slot[at] != 0) at = (at + 1) % t->slots;
  t->slot[at] = k + 1;
}

static lar_status widen(lar_trace *t) {
  void *p;
  size_t fresh = t->slots > 0 ? 2 * t->slots : 128;
  LAR_TRY(lar_alloc(&p, fresh, sizeof *t->slot));
  lar_free(t->slot);
  t->slot = p;
  t->slots = fresh;
  for (int k = 0; k < t->nbuf; k++) enlist(t, k);
  return LAR_OK;
}

static lar_status add_buf(lar_trace *t, lar_storage *s, lar_buf_kind kind, int *out) {
  void *p = t->buf;
  LAR_TRY(lar_grow(&p, &t->buf_cap, (size_t)t->nbuf + 1, sizeof *t->buf));
  t->buf = p;
  if (2 * (size_t)t->nbuf + 2 > t->slots) LAR_TRY(widen(t));
  t->buf[t->nbuf] =
    (lar_buf){.s = lar_storage_ref(s), .kind = kind, .bytes = s->bytes, .version = s->version};
  enlist(t, t->nbuf);
  *out = t->nbuf++;
  return LAR_OK;
}

static lar_status add_watch(lar_trace *t, lar_var *v) {
  void *p = t->watch;
  for (int k = 0; k < t->nwatch; k++)
    if (t->watch[k].v == v) return LAR_OK;
  LAR_TRY(lar_grow(&p, &t->watch_cap, (size_t)t->nwatch + 1, sizeof *t->watch));
  t->watch = p;
  t->watch[t->nwatch++] =
    (lar_watch){lar_var_ref(v), lar_storage_ref(v->t.storage), v->requires_grad, v->grad};
  return LAR_OK;
}

/* ---- operands ---- */

static lar_status add_operand(lar_trace *t, int buf, const lar_tensor *x) {
  void *p = t->operand;
  LAR_TRY(lar_grow(&p, &t->operand_cap, (size_t)t->noperand + 1, sizeof *t->operand));
  t->operand = p;
  t->operand[t->noperand++] = (lar_operand){buf, *x};
  return LAR_OK;
}

static lar_status read_tensor(lar_trace *t, const lar_tensor *x) {
  int k = find(t, x->storage);
  if (k < 0) LAR_TRY(add_buf(t, x->storage, LAR_BUF_OUTSIDE, &k));
  if (x->storage->version != t->buf[k].version)
    lar_trace_spoil(t, "a tensor of shape %s was changed in place by other means than an op",
                    lar_tensor_text(x));
  return add_operand(t, k, x);
}

static lar_status read_var(lar_trace *t, lar_var *v) {
  bool seen = find(t, v->t.storage) >= 0;
  LAR_TRY(read_tensor(t, &v->t));
  lar_buf *b = &t->buf[find(t, v->t.storage)];
  if (b->kind == LAR_BUF_INPUT) return LAR_OK;
  if (v->requires_grad && v->maker != NULL && v->maker->seq <= t->since)
    lar_trace_spoil(t, "it uses a value of shape %s whose history reaches outside",
                    lar_tensor_text(&v->t));
  if (b->kind != LAR_BUF_OUTSIDE || v->maker != NULL) return LAR_OK;
  b->live = b->live || v->requires_grad;
  return !seen || v->requires_grad ? add_watch(t, v) : LAR_OK;
}

static lar_status made(lar_trace *t, const lar_tensor *x) {
  int k = find(t, x->storage);
  if (k < 0) LAR_TRY(add_buf(t, x->storage, LAR_BUF_MADE, &k));
  return add_operand(t, k, x);
}

static lar_status add_record(lar_trace *t, const lar_record *r) {
  void *p = t->record;
  LAR_TRY(lar_grow(&p, &t->record_cap, (size_t)t->nrecord + 1, sizeof *t->record));
  t->record = p;
  t->record[t->nrecord] = *r;
  t->record[t->nrecord++].at = t->noperand - r->nin - r->nout;
  return LAR_OK;
}

/* ---- what the tracer hears ---- */

static void check(lar_trace *t, lar_status st) {
  if (st != LAR_OK) lar_trace_spoil(t, "%s", lar_why());
}

static lar_status apply(lar_trace *t, const lar_op *op, const lar_attr *attr, int nin,
                        lar_var *const *in, int nout, lar_var *const *out) {
  for (int j = 0; j < nin; j++) LAR_TRY(read_var(t, in[j]));
  for (int k = 0; k < nout; k++) LAR_TRY(made(t, &out[k]->t));
  lar_record r = {.kind = LAR_RECORD_OP, .op = op, .nin = nin, .nout = nout};
  lar_attr_copy(&r.attr, attr);
  return add_record(t, &r);
}

static void applied(void *ctx, const lar_op *op, const lar_attr *attr, int nin,
                    lar_var *const *in, int nout, lar_var *const *out) {
  lar_trace *t = ctx;
  check(t, apply(t, op, attr, nin, in, nout, out));
}

static lar_status assign(lar_trace *t, const lar_var *dst, const lar_tensor *src) {
  LAR_TRY(read_tensor(t, src));
  int k = find(t, dst->t.storage);
  bool seen = k >= 0;
  if (!seen) LAR_TRY(add_buf(t, dst->t.storage, LAR_BUF_OUTSIDE, &k));
  lar_buf *b = &t->buf[k];
  if (b->kind == LAR_BUF_INPUT) lar_trace_spoil(t, "it changes one of its inputs in place");
  if (seen && dst->t.storage->version != b->version + 1)
    lar_trace_spoil(t, "a tensor of shape %s was changed in place by other means than an op",
                    lar_tensor_text(&dst->t));
  b->version = dst->t.storage->version;
  b->live = b->kind == LAR_BUF_OUTSIDE;
  LAR_TRY(add_operand(t, k, &dst->t));
  return add_record(t, &(lar_record){.kind = LAR_RECORD_ASSIGN, .nin = 1, .nout = 1});
}

static void assigned(lar_tracer *tracer, const lar_var *dst, const lar_tensor *src) {
  lar_trace *t = (lar_trace *)tracer;
  check(t, assign(t, dst, src));
}

static int stream_of(const lar_rng *r) {
  lar_rng *state;
  for (int k = 0; lar_rng_nth(k, &state) != NULL; k++)
    if (state == r) return k;
  return 0;
}

/* Streams that have come up since stand at the start. */
static void note_streams(lar_trace *t) {
  lar_rng *state;
  while (t->nstream < LAR_RNG_STREAMS && lar_rng_nth(t->nstream, &state) != NULL)
    t->stream[t->nstream++] = 0;
}

static void drew(lar_tracer *tracer, const lar_draw *d, const lar_tensor *out) {
  lar_trace *t = (lar_trace *)tracer;
  uint64_t per = d->kind == LAR_DRAW_COIN ? 4 : 2;
  note_streams(t);
  t->stream[stream_of(d->rng)] += ((uint64_t)lar_tensor_numel(out) + per - 1) / per;
  lar_status st = made(t, out);
  if (st == LAR_OK)
    st = add_record(t, &(lar_record){.kind = LAR_RECORD_DRAW, .draw = *d, .nout = 1});
  check(t, st);
}

static lar_status peeked(lar_tracer *tracer, const char *what) {
  lar_trace *t = (lar_trace *)tracer;
  lar_trace_spoil(t, "%s reads the elements of a tensor, which a plan would take for constant",
                  what);
  if (!t->strict) return LAR_OK;
  return lar_fail(
    LAR_EARG,
    "%s reads the elements of a tensor while the function is being traced; a plan "
    "would take them for constant: say dynamic = true",
    what);
}

/* ---- life ---- */

lar_status lar_trace_new(lar_trace **out, bool strict) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_trace)));
  lar_trace *t = p;
  t->tracer =
    (lar_tracer){.applied = applied, .assigned = assigned, .drew = drew, .peeked = peeked};
  t->strict = strict;
  *out = t;
  return LAR_OK;
}

void lar_trace_free(lar_trace *t) {
  if (t == NULL) return;
  lar_trace_end(t);
  for (int k = 0; k < t->nbuf; k++) lar_storage_unref(t->buf[k].s);
  for (int k = 0; k < t->nwatch; k++) {
    lar_var_unref(t->watch[k].v);
    lar_storage_unref(t->watch[k].s);
  }
  lar_free(t->buf);
  lar_free(t->record);
  lar_free(t->operand);
  lar_free(t->watch);
  lar_free(t->out);
  lar_free(t->slot);
  lar_free(t);
}

static void let_go(void *owner) { lar_storage_unref(owner); }

lar_status lar_trace_input(lar_trace *t, lar_var *v, lar_var **alias) {
  static const lar_attr none;
  lar_tensor own = v->t;
  int k;
  *alias = NULL;
  if (t->ninput == LAR_TRACE_INPUTS)
    return lar_fail(LAR_EARG, "plan: more than %d inputs", LAR_TRACE_INPUTS);
  own.offset = 0;
  LAR_TRY(lar_storage_borrow(&own.storage, lar_tensor_data(&v->t), v->t.storage->bytes, let_go,
                             v->t.storage));
  (void)lar_storage_ref(v->t.storage);
  lar_status st = add_buf(t, own.storage, LAR_BUF_INPUT, &k);
  if (st == LAR_OK) {
    t->input[t->ninput] = v->t;
    t->buf[k].input = t->ninput++;
    st = lar_var_new(alias, &own);
  }
  lar_tensor_clear(&own);
  if (st == LAR_OK && v->requires_grad && lar_grad_enabled())
    st = lar_call_record(LAR_OP(contiguous), &none, 1, &v, 1, alias);
  if (st == LAR_OK) return LAR_OK;
  lar_var_unref(*alias);
  *alias = NULL;
  return st;
}

void lar_trace_begin(lar_trace *t) {
  lar_rng *state;
  for (t->nstream = 0; t->nstream < LAR_RNG_STREAMS && lar_rng_nth(t->nstream, &state);)
    t->stream[t->nstream++] = state->at;
  t->since = lar_op_seq();
  t->open = true;
  open_traces++;
  t->former = lar_op_listen(&t->tracer);
}

void lar_trace_end(lar_trace *t) {
  lar_rng *state;
  if (!t->open) return;
  t->open = false;
  open_traces--;
  (void)lar_op_listen(t->former);
  note_streams(t);
  for (int k = 0; k < t->nstream && lar_rng_nth(k, &state) != NULL; k++)
    if (state->at != t->stream[k])
      lar_trace_spoil(t, "it draws random numbers by other means than layers do (stream '%s')",
                      lar_rng_nth(k, &state));
  for (int k = 0; k < t->nbuf; k++)
    if (t->buf[k].s->version != t->buf[k].version)
      lar_trace_spoil(t, "a tensor was changed in place by other means than an op");
}

static lar_status add_output(lar_trace *t, const lar_var *v, int tag, bool grad) {
  void *p = t->out;
  int k = find(t, v->t.storage);
  if (k < 0) LAR_TRY(add_buf(t, v->t.storage, LAR_BUF_OUTSIDE, &k));
  LAR_TRY(lar_grow(&p, &t->out_cap, (size_t)t->nout + 1, sizeof *t->out));
  t->out = p;
  t->out[t->nout++] = (lar_result_of){tag, grad, {k, v->t}};
  return LAR_OK;
}

void lar_trace_output(lar_trace *t, const lar_var *v, int tag, bool grad) {
  check(t, add_output(t, v, tag, grad));
}

bool lar_trace_made(const lar_trace *t, const lar_var *v) {
  int k = find(t, v->t.storage);
  return k >= 0 && t->buf[k].kind == LAR_BUF_MADE;
}

void lar_trace_split(lar_trace *t) { t->split = t->nrecord; }

void lar_trace_let_go(lar_trace *t) {
  for (int k = 0; k < t->nbuf; k++) {
    lar_buf *b = &t->buf[k];
    if (b->kind == LAR_BUF_OUTSIDE) continue;
    lar_storage_unref(b->s);
    b->s = NULL;
  }
}

/* ---- two of them ---- */

static bool same_layout(const lar_operand *a, const lar_operand *b) {
  return a->buf == b->buf && a->t.offset == b->t.offset && a->t.dtype == b->t.dtype &&
         lar_tensor_same_shape(&a->t, &b->t) &&
         memcmp(a->t.stride, b->t.stride, (size_t)a->t.ndim * sizeof(int64_t)) == 0;
}

/* Numbers are the same when their bits are: NaN is, 0 and -0 are not. */
static uint64_t bits(double v) {
  uint64_t u;
  memcpy(&u, &v, sizeof u);
  return u;
}

/* Bit for bit, so that NaN is NaN; reals that the op does not have are not set. */
static bool same_attr(const lar_op *op, const lar_attr *a, const lar_attr *b) {
  if (a->n != b->n || memcmp(a->i, b->i, (size_t)a->n * sizeof *a->i) != 0) return false;
  for (const lar_param *p = op->params; p != NULL && p->name != NULL; p++) {
    double x = lar_param_get(p, a), y = lar_param_get(p, b);
    if (bits(x) != bits(y)) return false;
  }
  return true;
}

static bool same_record(const lar_record *a, const lar_record *b) {
  if (a->kind != b->kind || a->op != b->op || a->nin != b->nin || a->nout != b->nout ||
      a->at != b->at)
    return false;
  if (a->kind == LAR_RECORD_OP) return same_attr(a->op, &a->attr, &b->attr);
  return a->draw.kind == b->draw.kind && a->draw.rng == b->draw.rng && a->draw.a == b->draw.a &&
         a->draw.b == b->draw.b;
}

/* What comes from outside is the same tensor, or one made anew with the same elements. */
static bool same_buf(const lar_buf *a, const lar_buf *b) {
  if (a->kind != b->kind || a->input != b->input || a->live != b->live || a->bytes != b->bytes)
    return a->kind == LAR_BUF_INPUT && b->kind == LAR_BUF_INPUT && a->input == b->input;
  return a->kind != LAR_BUF_OUTSIDE || a->s == b->s ||
         (!a->live && memcmp(a->s->data, b->s->data, a->bytes) == 0);
}

static bool same_output(const lar_result_of *a, const lar_result_of *b) {
  return a->tag == b->tag && a->grad == b->grad && same_layout(&a->x, &b->x);
}

bool lar_trace_agree(const lar_trace *a, lar_trace *b) {
  bool same = a->nrecord == b->nrecord && a->noperand == b->noperand && a->nbuf == b->nbuf &&
              a->nout == b->nout && a->split == b->split;
  for (int k = 0; same && k < a->nrecord; k++) {
    same = same_record(&a->record[k], &b->record[k]);
    if (!same && b->record[k].kind == LAR_RECORD_OP)
      lar_trace_spoil(b,
                      "'%s' was applied with other numbers, or another op was, the second time",
                      b->record[k].op->name);
  }
  for (int k = 0; same && k < a->noperand; k++)
    same = same_layout(&a->operand[k], &b->operand[k]);
  for (int k = 0; same && k < a->nout; k++) same = same_output(&a->out[k], &b->out[k]);
  for (int k = 0; same && k < a->nbuf; k++) {
    same = same_buf(&a->buf[k], &b->buf[k]);
    if (!same)
      lar_trace_spoil(b, "a number or tensor from outside was another the second time");
  }
  if (!same) lar_trace_spoil(b, "it did something else the second time");
  return same;
}
