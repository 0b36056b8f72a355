/* Which records of a trace become kernels, and where their buffers lie. */
#include <string.h>

#include "core/mem.h"
#include "grad/plan_parts.h"

enum { LINE = 64 };

static const lar_operand *operand(const lar_trace *t, const lar_record *r, int k) {
  return &t->operand[r->at + k];
}

/* Does record k write a buffer for the first time? The others only see what is there. */
static bool makes(const lar_plan *p, const lar_trace *t, int k) {
  const lar_record *r = &t->record[k];
  for (int j = r->nin; j < r->nin + r->nout; j++)
    if (p->place[operand(t, r, j)->buf].maker == k) return true;
  return false;
}

static void find_makers(lar_plan *p, const lar_trace *t) {
  for (int b = 0; b < t->nbuf; b++) p->place[b].maker = -1;
  for (int k = 0; k < t->nrecord; k++) {
    const lar_record *r = &t->record[k];
    for (int j = r->nin; j < r->nin + r->nout; j++) {
      lar_place *at = &p->place[operand(t, r, j)->buf];
      if (r->kind == LAR_RECORD_ASSIGN)
        at->written = true;
      else if (at->maker < 0 && t->buf[operand(t, r, j)->buf].kind == LAR_BUF_MADE)
        at->maker = k;
    }
  }
  for (int k = 0; k < t->nout; k++)
    if (t->buf[t->out[k].x.buf].kind == LAR_BUF_MADE) p->place[t->out[k].x.buf].result = true;
}

/* What depends on nothing that changes was computed by the trace. */
static void find_constants(lar_plan *p, const lar_trace *t) {
  for (int b = 0; b < t->nbuf; b++)
    p->place[b].constant = t->buf[b].kind == LAR_BUF_OUTSIDE && !t->buf[b].live;
  for (int k = 0; k < t->nrecord; k++) {
    const lar_record *r = &t->record[k];
    bool same = r->kind == LAR_RECORD_OP;
    for (int j = 0; same && j < r->nin; j++) same = p->place[operand(t, r, j)->buf].constant;
    for (int j = r->nin; same && j < r->nin + r->nout; j++) {
      const lar_place *at = &p->place[operand(t, r, j)->buf];
      same = !at->written && !at->result;
    }
    for (int j = r->nin; same && j < r->nin + r->nout; j++)
      p->place[operand(t, r, j)->buf].constant = true;
  }
}

static bool wanted(const lar_plan *p, const lar_trace *t, int k) {
  const lar_record *r = &t->record[k];
  if (r->kind == LAR_RECORD_DRAW) return true; /* its stream moves on */
  if (r->kind == LAR_RECORD_ASSIGN) {
    int b = operand(t, r, 1)->buf;
    return t->buf[b].kind == LAR_BUF_OUTSIDE || p->place[b].needed;
  }
  if (!makes(p, t, k)) return false;
  for (int j = r->nin; j < r->nin + r->nout; j++) {
    const lar_place *at = &p->place[operand(t, r, j)->buf];
    if (at->needed && !at->constant && at->maker == k) return true;
  }
  return false;
}

lar_status lar_plan_choose(lar_plan *p, const lar_trace *t, bool *keep) {
  find_makers(p, t);
  find_constants(p, t);
  for (int k = 0; k < t->nout; k++) p->place[t->out[k].x.buf].needed = true;
  for (int k = t->nrecord - 1; k >= 0; k--) {
    const lar_record *r = &t->record[k];
    keep[k] = wanted(p, t, k);
    for (int j = 0; keep[k] && j < r->nin + r->nout; j++)
      p->place[operand(t, r, j)->buf].needed = true;
  }
  return LAR_OK;
}

/* ---- the arena ---- */

static size_t rounded(size_t bytes) { return (bytes + LINE - 1) / LINE * LINE; }

/* Do two buffers hold something at the same time? */
static bool meet(const lar_place *a, const lar_place *b) {
  return a->first <= b->last && b->first <= a->last;
}

static bool in_arena(const lar_trace *t, const lar_place *at, int b) {
  return t->buf[b].kind == LAR_BUF_MADE && !at->constant && !at->result && !at->slotted &&
         at->last >= 0;
}

/* The lowest place where nothing that lives meanwhile lies: `other` is sorted by place. */
static size_t lowest(const lar_plan *p, const int *other, int n, const lar_place *at) {
  size_t low = 0;
  for (int k = 0; k < n; k++) {
    const lar_place *o = &p->place[other[k]];
    if (!meet(at, o)) continue;
    if (o->at >= low + rounded(at->bytes)) break;
    if (o->at + rounded(o->bytes) > low) low = o->at + rounded(o->bytes);
  }
  return low;
}

static void insert(const lar_plan *p, int *list, int n, int b) {
  while (n > 0 && p->place[list[n - 1]].at > p->place[b].at) {
    list[n] = list[n - 1];
    n--;
  }
  list[n] = b;
}

static lar_place *place_of(lar_plan *p, const lar_storage *s) {
  return s >= p->head && s < p->head + p->nbuf ? &p->place[s - p->head] : NULL;
}

void lar_plan_lives(lar_plan *p) {
  for (int b = 0; b < p->nbuf; b++) p->place[b].first = p->place[b].last = -1;
  for (int i = 0; i < p->nitem; i++)
    for (int k = p->item[i].first; k < p->item[i].first + p->item[i].n; k++)
      for (int j = 0; j < p->kernel[k].nin + p->kernel[k].nout; j++) {
        lar_place *at = place_of(p, p->kernel[k].x[j].storage);
        if (at == NULL) continue;
        if (at->first < 0) at->first = i;
        int last = p->kernel[k].late ? p->nitem : i;
        if (last > at->last) at->last = last;
      }
}

/* Buffers in the order in which they come up, each as low as it fits. */
lar_status lar_plan_layout(lar_plan *p, const lar_trace *t) {
  void *list;
  int n = 0;
  LAR_TRY(lar_alloc(&list, (size_t)p->nbuf + 1, sizeof(int)));
  for (int k = 0; k < p->nkernel; k++)
    for (int j = 0; j < p->kernel[k].nout; j++) {
      lar_place *at = place_of(p, p->kernel[k].x[j].storage);
      int b = at != NULL ? (int)(at - p->place) : 0;
      if (at == NULL || at->laid || !in_arena(t, at, b)) continue;
      at->laid = true;
      at->at = lowest(p, list, n, at);
      insert(p, list, n++, b);
      if (at->at + rounded(at->bytes) > p->arena_bytes)
        p->arena_bytes = at->at + rounded(at->bytes);
    }
  lar_free(list);
  LAR_TRY(lar_alloc_raw(&p->arena, 1, p->arena_bytes + LINE));
  for (int b = 0; b < p->nbuf; b++)
    if (in_arena(t, &p->place[b], b)) p->head[b].data = (char *)p->arena + p->place[b].at;
  return LAR_OK;
}
