/* From a trace to a plan. */
#include "grad/plan.h"

#include <string.h>

#include "core/mem.h"
#include "grad/plan_parts.h"
#include "kern/copy.h"

/* ---- kernels ---- */

/* The storage by which a kernel reaches a buffer. */
static lar_storage *reach(const lar_plan *p, const lar_trace *t, int buf) {
  bool own = t->buf[buf].kind != LAR_BUF_OUTSIDE && !p->place[buf].constant;
  return own ? &p->head[buf] : t->buf[buf].s;
}

static void set_operand(const lar_plan *p, const lar_trace *t, lar_tensor *x,
                        const lar_operand *from) {
  *x = from->t;
  x->storage = lar_storage_ref(reach(p, t, from->buf));
}

lar_status lar_kernel_room(lar_kernel *k) {
  size_t n = (size_t)(k->nin + k->nout);
  void *at;
  LAR_TRY(lar_alloc(&at, n, sizeof *k->x));
  k->x = at;
  LAR_TRY(lar_alloc(&at, n, sizeof *k->t));
  k->t = at;
  LAR_TRY(lar_alloc(&at, (size_t)k->nout + 1, sizeof *k->place));
  k->place = at;
  for (size_t j = 0; j < n; j++) k->t[j] = &k->x[j];
  return LAR_OK;
}

/* Does it hold what the plan took for constant? */
static bool is_constant(const lar_plan *p, const lar_storage *s) {
  for (int b = 0; b < p->nbuf; b++)
    if (p->place[b].constant && p->origin[b] == s) return true;
  return false;
}

/* One element for all of a small result is written out, where it is always the same. */
static lar_status spread(const lar_plan *p, lar_kernel *k, int j) {
  enum { SMALL = 4096 };
  lar_tensor *x = &k->x[j], wide, own = {0};
  const lar_tensor *y = &k->x[0];
  if (!is_constant(p, x->storage) || lar_tensor_numel(y) > SMALL || lar_tensor_same_shape(x, y))
    return LAR_OK;
  LAR_TRY(lar_tensor_expand(&wide, x, y->ndim, y->shape));
  lar_status st = lar_clone(&own, &wide, x->dtype);
  lar_tensor_clear(&wide);
  if (st != LAR_OK) return st;
  lar_tensor_clear(x);
  *x = own;
  return LAR_OK;
}

static lar_status make_map(const lar_plan *p, lar_kernel *k) {
  void *job;
  for (int j = 1; j <= k->nin; j++) LAR_TRY(spread(p, k, j));
  LAR_TRY(lar_alloc(&job, 1, sizeof *k->job));
  k->job = job;
  return lar_map_prepare(k->job, k->r.op, &k->r.attr, k->nin, k->t + 1, k->t[0]);
}

static lar_status make_kernel(lar_plan *p, const lar_trace *t, int record) {
  lar_kernel *k = &p->kernel[p->nkernel++]; /* counted at once: cleared with the others */
  k->r = t->record[record];
  k->record = record;
  k->nin = k->r.nin;
  k->nout = k->r.nout;
  LAR_TRY(lar_kernel_room(k));
  const lar_operand *at = &t->operand[k->r.at];
  for (int j = 0; j < k->nout; j++) {
    set_operand(p, t, &k->x[j], &at[k->nin + j]);
    int buf = at[k->nin + j].buf;
    k->place[j] = p->place[buf].maker == record ? &p->head[buf] : NULL;
  }
  for (int j = 0; j < k->nin; j++) set_operand(p, t, &k->x[k->nout + j], &at[j]);
  if (k->r.kind == LAR_RECORD_DRAW) {
    k->kind = LAR_KERNEL_DRAW;
  } else if (k->r.kind == LAR_RECORD_ASSIGN) {
    k->kind = LAR_KERNEL_COPY;
    if (t->buf[at[1].buf].kind == LAR_BUF_OUTSIDE) k->outside = k->x[0].storage;
  } else if (k->r.op->forward == NULL) {
    k->kind = LAR_KERNEL_MAP;
  } else {
    k->kind = LAR_KERNEL_CALL;
  }
  return LAR_OK;
}

static lar_status make_kernels(lar_plan *p, const lar_trace *t) {
  void *at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nrecord + 1, sizeof(bool)));
  bool *keep = at;
  lar_status st = lar_plan_choose(p, t, keep);
  LAR_GO(st);
  LAR_GO(lar_alloc(&at, (size_t)t->nrecord + 1, sizeof *p->kernel));
  p->kernel = at;
  for (int k = 0; k < t->nrecord; k++) {
    if (k == t->split) p->split = p->nkernel;
    if (keep[k]) LAR_GO(make_kernel(p, t, k));
  }
  if (t->split >= t->nrecord) p->split = p->nkernel;
done:
  lar_free(keep);
  return st;
}

/* ---- results ---- */

static void let_go(void *owner) { lar_storage_unref(owner); }

static bool whole(const lar_trace *t, const lar_result_of *o) {
  return t->buf[o->x.buf].kind == LAR_BUF_MADE && o->grad && o->x.t.offset == 0 &&
         lar_tensor_is_contiguous(&o->x.t);
}

static size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

/* Gradients lie side by side, in the order of the results. */
static lar_status place_gradients(lar_plan *p, const lar_trace *t) {
  lar_storage *block;
  size_t bytes = 0;
  for (int k = 0; k < t->nout; k++)
    if (whole(t, &t->out[k])) bytes += rounded(t->buf[t->out[k].x.buf].bytes);
  if (bytes == 0) return LAR_OK;
  LAR_TRY(lar_storage_new(&block, bytes));
  char *at = block->data;
  lar_status st = LAR_OK;
  for (int k = 0; k < t->nout && st == LAR_OK; k++) {
    lar_place *b = &p->place[t->out[k].x.buf];
    if (!whole(t, &t->out[k]) || b->own != NULL) continue;
    b->gradient = true;
    st = lar_storage_borrow(&b->own, at, b->bytes, let_go, block);
    if (st == LAR_OK) (void)lar_storage_ref(block);
    at += rounded(b->bytes);
  }
  lar_storage_unref(block);
  return st;
}

/* Results that no kernel makes are read where they lie; the caller copies them. */
static lar_status make_result(lar_plan *p, const lar_trace *t, int k) {
  const lar_result_of *o = &t->out[k];
  lar_place *b = &p->place[o->x.buf];
  lar_tensor x = o->x.t;
  if (b->maker < 0) return lar_fail(LAR_EARG, "a result is not made by the function");
  if (b->own == NULL) LAR_TRY(lar_storage_new(&b->own, b->bytes));
  p->head[o->x.buf].data = b->own->data;
  x.storage = b->own;
  p->out[p->nout] = (lar_plan_out){.tag = o->tag, .buf = o->x.buf};
  return lar_var_new(&p->out[p->nout++].v, &x);
}

static lar_status make_results(lar_plan *p, const lar_trace *t) {
  void *at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nout + 1, sizeof *p->out));
  p->out = at;
  LAR_TRY(place_gradients(p, t));
  for (int k = 0; k < t->nout; k++) LAR_TRY(make_result(p, t, k));
  for (int k = 0; k < p->nout; k++) {
    p->out[k].own = 1; /* the plan's, and one for each value on it */
    for (int j = 0; j < p->nout; j++) p->out[k].own += p->out[j].buf == p->out[k].buf;
  }
  return LAR_OK;
}

/* ---- what it relies on ---- */

static lar_status keep_watch(lar_plan *p, const lar_trace *t) {
  void *at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nwatch + 1, sizeof *p->watch));
  p->watch = at;
  for (; p->nwatch < t->nwatch; p->nwatch++) {
    const lar_watch *w = &t->watch[p->nwatch];
    p->watch[p->nwatch] = *w;
    (void)lar_var_ref(w->v);
    (void)lar_storage_ref(w->s);
  }
  return LAR_OK;
}

static lar_status keep_constants(lar_plan *p, const lar_trace *t) {
  void *at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nbuf + 1, sizeof *p->constant));
  p->constant = at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nbuf + 1, sizeof *p->version));
  p->version = at;
  for (int b = 0; b < t->nbuf; b++) {
    if (t->buf[b].kind != LAR_BUF_OUTSIDE || t->buf[b].live) continue;
    p->constant[p->nconst] = lar_storage_ref(t->buf[b].s);
    p->version[p->nconst++] = t->buf[b].version;
  }
  return LAR_OK;
}

static lar_status keep_inputs(lar_plan *p, const lar_trace *t) {
  void *at;
  LAR_TRY(lar_alloc(&at, (size_t)t->ninput + 1, sizeof *p->input));
  p->input = at;
  LAR_TRY(lar_alloc(&at, (size_t)t->ninput + 1, sizeof *p->like));
  p->like = at;
  p->nin = t->ninput;
  for (int b = 0; b < t->nbuf; b++) {
    if (t->buf[b].kind != LAR_BUF_INPUT) continue;
    p->input[t->buf[b].input] = b;
    p->like[t->buf[b].input] = t->input[t->buf[b].input];
  }
  return LAR_OK;
}

bool lar_plan_fits(const lar_plan *p, int nin, const lar_var *const *in) {
  if (nin != p->nin) return false;
  for (int k = 0; k < nin; k++) {
    const lar_tensor *a = &p->like[k], *b = &in[k]->t;
    if (a->dtype != b->dtype || !lar_tensor_same_shape(a, b) ||
        memcmp(a->stride, b->stride, (size_t)a->ndim * sizeof *a->stride) != 0)
      return false;
  }
  return true;
}

bool lar_plan_holds(const lar_plan *p) {
  for (int k = 0; k < p->nwatch; k++) {
    const lar_watch *w = &p->watch[k];
    if (w->v->t.storage != w->s || w->v->requires_grad != w->requires_grad) return false;
  }
  for (int k = 0; k < p->nconst; k++)
    if (p->constant[k]->version != p->version[k]) return false;
  return true;
}

/* ---- life ---- */

static lar_status make_buffers(lar_plan *p, const lar_trace *t) {
  void *at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nbuf + 1, sizeof *p->head));
  p->head = at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nbuf + 1, sizeof *p->place));
  p->place = at;
  LAR_TRY(lar_alloc(&at, (size_t)t->nbuf + 1, sizeof *p->origin));
  p->origin = at;
  p->nbuf = t->nbuf;
  for (int b = 0; b < t->nbuf; b++) {
    p->head[b] = (lar_storage){.refs = 1, .bytes = t->buf[b].bytes, .data = t->buf[b].s->data};
    p->origin[b] = t->buf[b].s;
    p->place[b].bytes = t->buf[b].bytes;
  }
  return LAR_OK;
}

/* Elementwise kernels are made ready; their addresses are looked up at each run. */
static lar_status make_maps(lar_plan *p) {
  for (int k = 0; k < p->nkernel; k++)
    if (p->kernel[k].kind == LAR_KERNEL_MAP) LAR_TRY(make_map(p, &p->kernel[k]));
  return LAR_OK;
}

static lar_status build(lar_plan *p, const lar_trace *t) {
  if (t->why[0] != '\0') return lar_fail(LAR_EARG, "plan: %s", t->why);
  LAR_TRY(make_buffers(p, t));
  LAR_TRY(keep_watch(p, t));
  LAR_TRY(keep_constants(p, t));
  LAR_TRY(keep_inputs(p, t));
  LAR_TRY(make_kernels(p, t));
  LAR_TRY(make_results(p, t));
  LAR_TRY(lar_plan_absorb(p));
  LAR_TRY(lar_plan_pool(p));
  lar_plan_find_late(p);
  LAR_TRY(make_maps(p));
  LAR_TRY(lar_plan_group(p));
  lar_plan_lives(p);
  LAR_TRY(lar_plan_brief(p));
  LAR_TRY(lar_plan_link(p));
  return lar_plan_layout(p, t);
}

lar_status lar_plan_new(lar_plan **out, const lar_trace *t) {
  void *at;
  *out = NULL;
  LAR_TRY(lar_alloc(&at, 1, sizeof(lar_plan)));
  lar_plan *p = at;
  lar_status st = build(p, t);
  if (st == LAR_OK)
    *out = p;
  else
    lar_plan_free(p);
  return st;
}

void lar_kernel_clear(lar_kernel *k) {
  for (int j = 0; k->x != NULL && j < k->nin + k->nout; j++) lar_tensor_clear(&k->x[j]);
  lar_free(k->x);
  lar_free(k->t);
  lar_free(k->place);
  lar_free(k->job);
}

void lar_plan_free(lar_plan *p) {
  if (p == NULL) return;
  for (int k = 0; k < p->nkernel; k++) lar_kernel_clear(&p->kernel[k]);
  for (int k = 0; k < p->nout; k++) lar_var_unref(p->out[k].v);
  for (int b = 0; b < p->nbuf && p->place != NULL; b++) lar_storage_unref(p->place[b].own);
  for (int k = 0; k < p->nwatch; k++) {
    lar_var_unref(p->watch[k].v);
    lar_storage_unref(p->watch[k].s);
  }
  for (int k = 0; k < p->nconst; k++) lar_storage_unref(p->constant[k]);
  for (int k = 0; k < p->nitem; k++) lar_free(p->item[k].link), lar_free(p->item[k].brief);
  lar_free(p->item);
  lar_free(p->origin);
  lar_free(p->kernel);
  lar_free(p->out);
  lar_free(p->place);
  lar_free(p->head);
  lar_free(p->watch);
  lar_free(p->constant);
  lar_free(p->version);
  lar_free(p->input);
  lar_free(p->like);
  lar_free(p->arena);
  lar_free(p->block);
  lar_free(p->scratch);
  lar_free(p);
}
