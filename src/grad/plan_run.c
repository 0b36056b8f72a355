/* Running a plan, and telling what it consists of. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "grad/plan_parts.h"
#include "kern/copy.h"
#include "op/random.h"

static bool same_layout(const lar_tensor *a, const lar_tensor *b) {
  if (a->dtype != b->dtype || a->ndim != b->ndim) return false;
  for (int d = 0; d < a->ndim; d++)
    if (a->shape[d] != b->shape[d] || a->stride[d] != b->stride[d]) return false;
  return true;
}

/* A result that did not go where it belongs is copied there. */
static lar_status settle(const lar_tensor *want, const lar_tensor *got, const lar_kernel *k) {
  if (got->storage == want->storage && got->offset == want->offset && same_layout(want, got))
    return LAR_OK;
  if (!lar_tensor_same_shape(want, got) || want->dtype != got->dtype)
    return lar_fail(LAR_ESHAPE, "%s: makes %s, and made %s when it was traced", k->r.op->name,
                    lar_tensor_text(got), lar_tensor_text(want));
  return lar_copy(want, got);
}

static lar_status call(lar_plan *p, lar_kernel *k) {
  lar_io io;
  io.op = k->r.op, io.attr = &k->r.attr, io.nin = k->nin, io.nout = 0, io.in = k->t + k->nout;
  for (int j = 0; j < LAR_MAX_OUT; j++) io.out[j].storage = NULL;
  /* one of no bytes is open too, and counts what it is asked for */
  lar_mem_scratch(p->scratch_bytes > 0 ? p->scratch : p, p->scratch_bytes);
  lar_tensor_place(io.out, k->nout, k->place);
  lar_status st = io.op->forward(&io);
  lar_tensor_place(NULL, 0, NULL);
  for (int j = 0; j < k->nout && st == LAR_OK; j++)
    if (k->place[j] != NULL) st = settle(&k->x[j], &io.out[j], k);
  for (int j = 0; j < LAR_MAX_OUT; j++) lar_tensor_clear(&io.out[j]);
  size_t missed = lar_mem_scratch_missed();
  lar_mem_scratch(NULL, 0);
  if (missed > 0 && missed + p->scratch_bytes > p->scratch_need)
    p->scratch_need = missed + p->scratch_bytes;
  return st;
}

static lar_status run(lar_plan *p, lar_kernel *k) {
  switch (k->kind) {
  case LAR_KERNEL_MAP: lar_map_run(k->job, k->t); return LAR_OK;
  case LAR_KERNEL_CALL: return call(p, k);
  case LAR_KERNEL_DRAW: lar_draw_run(&k->r.draw, k->t[0]); return LAR_OK;
  default:
    if (k->outside != NULL) k->outside->version++;
    return lar_copy(k->t[0], k->t[1]);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static lar_status run_item(lar_plan *p, const lar_item *it) {
  if (p->leaves && p->kernel[it->first].late) return LAR_OK;
  if (it->brief != NULL) {
    lar_plan_run_brief(it->brief);
    return LAR_OK;
  }
  if (it->link != NULL) {
    lar_plan_run_chain(p, it);
    return LAR_OK;
  }
  for (int k = it->first; k < it->first + it->n; k++) LAR_TRY(run(p, &p->kernel[k]));
  return LAR_OK;
}

static lar_status measured(lar_plan *p, lar_item *it) {
  double from = now();
  lar_status st = run_item(p, it);
  it->seconds += now() - from;
  it->runs++;
  return st;
}

/* ---- results that somebody kept ---- */

static bool kept(const lar_plan_out *o) {
  return o->v->refs > 1 || lar_storage_refs(o->v->t.storage) > o->own;
}

/* Fresh elements for a buffer, and values on it. */
static lar_status renew(lar_plan *p, int buf) {
  lar_storage *fresh;
  lar_status st = LAR_OK;
  LAR_TRY(lar_storage_new(&fresh, p->place[buf].bytes));
  for (int k = 0; k < p->nout && st == LAR_OK; k++) {
    lar_plan_out *o = &p->out[k];
    if (o->buf != buf) continue;
    lar_tensor t = o->v->t;
    lar_var *v;
    t.storage = fresh;
    st = lar_var_new(&v, &t);
    if (st != LAR_OK) break;
    lar_var_unref(o->v);
    o->v = v;
  }
  lar_storage_unref(p->place[buf].own);
  p->place[buf].own = fresh;
  p->head[buf].data = fresh->data;
  return st;
}

static lar_status prepare(lar_plan *p, int nin, const lar_var *const *in) {
  if (p->scratch_need > p->scratch_bytes) {
    lar_free(p->scratch);
    p->scratch_bytes = 0;
    LAR_TRY(lar_alloc_raw(&p->scratch, 1, p->scratch_need));
    p->scratch_bytes = p->scratch_need;
  }
  for (int k = 0; k < nin; k++) p->head[p->input[k]].data = lar_tensor_data(&in[k]->t);
  return LAR_OK;
}

lar_status lar_plan_run(lar_plan *p, lar_run_part part, int nin, const lar_var *const *in) {
  int from = part == LAR_RUN_BACKWARD ? p->split : 0;
  int to = part == LAR_RUN_FORWARD ? p->split : p->nitem;
  LAR_TRY(prepare(p, nin, in));
  for (int k = 0; k < p->nout; k++) {
    int first = p->place[p->out[k].buf].first;
    if (first >= from && first < to && kept(&p->out[k])) LAR_TRY(renew(p, p->out[k].buf));
  }
  for (int k = from; k < to; k++) {
    lar_status st = p->measure ? measured(p, &p->item[k]) : run_item(p, &p->item[k]);
    if (st != LAR_OK) return st;
  }
  return LAR_OK;
}

int lar_plan_results(const lar_plan *p) { return p->nout; }
int lar_plan_tag(const lar_plan *p, int k) { return p->out[k].tag; }
lar_var *lar_plan_result(const lar_plan *p, int k) { return p->out[k].v; }

/* ---- what it consists of ---- */

int lar_plan_kernels(const lar_plan *p) { return p->nitem; }

static const char *name_of(const lar_kernel *k) {
  static const char *const draws[] = {"draw coins", "draw normal", "draw uniform"};
  if (k->kind == LAR_KERNEL_DRAW) return draws[k->r.draw.kind];
  return k->kind == LAR_KERNEL_COPY ? "write" : k->r.op->name;
}

/* "mul + tanh + exp"; what does not fit is counted. */
static const char *names_of(const lar_plan *p, const lar_item *it) {
  enum { SIZE = 80, TAIL = 12 };
  static _Thread_local char text[SIZE];
  const lar_kernel *first = &p->kernel[it->first];
  size_t n = (size_t)snprintf(
    text, sizeof text, "%s%s%s%s%s", name_of(first), first->then != NULL ? " + " : "",
    first->then != NULL ? first->then->name : "", first->also != NULL ? " + " : "",
    first->also != NULL ? first->also->name : "");
  for (int k = 1; k < it->n; k++) {
    const char *name = name_of(&p->kernel[it->first + k]);
    if (n + strlen(name) + TAIL > SIZE) {
      (void)snprintf(text + n, sizeof text - n, " + %d", it->n - k);
      break;
    }
    n += (size_t)snprintf(text + n, sizeof text - n, " + %s", name);
  }
  return text;
}

/* Bytes that go to memory and come from there: what stays in a slot does not. */
static size_t bytes_of(const lar_plan *p, const lar_kernel *k) {
  size_t bytes = 0;
  for (int j = 0; j < k->nin + k->nout; j++) {
    const lar_storage *s = k->x[j].storage;
    bool made = s >= p->head && s < p->head + p->nbuf;
    if (!made || !p->place[s - p->head].slotted)
      bytes += (size_t)lar_tensor_numel(&k->x[j]) * lar_dtype_size(k->x[j].dtype);
  }
  return bytes;
}

lar_kernel_info lar_plan_kernel(const lar_plan *p, int k) {
  const lar_item *it = &p->item[k];
  const lar_kernel *last = &p->kernel[it->first + it->n - 1];
  size_t bytes = 0;
  for (int j = 0; j < it->n; j++) bytes += bytes_of(p, &p->kernel[it->first + j]);
  return (lar_kernel_info){.name = names_of(p, it),
                           .shape = lar_tensor_text(&last->x[0]),
                           .bytes = bytes,
                           .seconds = it->seconds,
                           .runs = it->runs};
}

size_t lar_plan_bytes(const lar_plan *p) {
  size_t bytes = p->arena_bytes + p->scratch_bytes + p->block_bytes;
  for (int b = 0; b < p->nbuf; b++)
    if (p->place[b].own != NULL) bytes += p->place[b].bytes;
  return bytes;
}

void lar_plan_measure(lar_plan *p, bool on) {
  p->measure = on;
  for (int k = 0; on && k < p->nitem; k++) p->item[k].seconds = 0, p->item[k].runs = 0;
}
