/* Elementwise kernels on few elements. All that they read and write has a row in one small
 * block, as long as whole vectors, and the addresses are found when the plan is made: a kernel
 * is one call, without tails. What comes from elsewhere is brought in before the first, what is
 * wanted elsewhere goes out after the last. Past its end a row repeats its last element, so
 * that nothing is computed there that is not computed anyway. */
#include <string.h>

#include "core/mem.h"
#include "grad/plan_parts.h"

enum { SHORT = 128, VECTOR = 16, LINE = 64 };

/* A row, and what it is of. */
typedef struct row {
  const lar_storage *s;
  size_t byte, size; /* where it begins; of an element */
  bool single;       /* one element for all */
  char *at;
} row;

typedef struct act {
  lar_map *fn;
  const double *f;
  void *out;
  const void *in[LAR_MAP_IN];
} act;

struct lar_brief {
  int64_t n, wide;
  int nrow, nload, nact, nstore;
  row *row; /* of this item alone */
  row *load, *store;
  act *act;
};

static int64_t rounded(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

static bool is_brief(const lar_plan *p, const lar_item *it) {
  for (int k = it->first; k < it->first + it->n; k++)
    if (p->kernel[k].kind != LAR_KERNEL_MAP || !lar_kernel_is_row(&p->kernel[k]) ||
        lar_kernel_length(&p->kernel[k]) > SHORT)
      return false;
  return true;
}

static lar_place *place_of(const lar_plan *p, const lar_tensor *x) {
  bool made = x->storage >= p->head && x->storage < p->head + p->nbuf;
  return made ? &p->place[x->storage - p->head] : NULL;
}

/* Does the kernel see the whole buffer, in a row of its own? */
static bool whole(const lar_kernel *k, int i, const lar_place *b) {
  size_t bytes = (size_t)lar_kernel_length(k) * lar_dtype_size(k->t[i]->dtype);
  return k->t[i]->offset == 0 && bytes == b->bytes && !lar_kernel_is_single(k, i);
}

/* Buffers that no other kernels see stay in the block from item to item. */
static void find_kept(lar_plan *p) {
  for (int b = 0; b < p->nbuf; b++) {
    lar_place *at = &p->place[b];
    at->slotted = at->maker >= 0 && !at->result && !at->constant && !at->written;
  }
  for (int i = 0; i < p->nitem; i++)
    for (int k = p->item[i].first; k < p->item[i].first + p->item[i].n; k++)
      for (int j = 0; j < p->kernel[k].nin + p->kernel[k].nout; j++) {
        lar_place *at = place_of(p, p->kernel[k].t[j]);
        if (at == NULL) continue;
        if (!is_brief(p, &p->item[i]) || !whole(&p->kernel[k], j, at)) at->slotted = false;
      }
}

/* ---- rows ---- */

static char *take(lar_plan *p, const struct lar_brief *b, size_t size) {
  char *at = (char *)p->block + p->block_bytes;
  p->block_bytes += (size_t)rounded(b->wide * (int64_t)size, LINE);
  return at;
}

static row *find(struct lar_brief *b, const lar_tensor *x, bool single) {
  size_t byte = (size_t)x->offset * lar_dtype_size(x->dtype);
  for (int k = 0; k < b->nrow; k++)
    if (b->row[k].s == x->storage && b->row[k].byte == byte && b->row[k].single == single)
      return &b->row[k];
  return NULL;
}

/* Where operand i of a kernel lies; *fresh when the item has not seen it yet. */
static char *locate(lar_plan *p, struct lar_brief *b, const lar_kernel *k, int i, bool *fresh) {
  const lar_tensor *x = k->t[i];
  lar_place *at = place_of(p, x);
  size_t size = lar_dtype_size(x->dtype);
  *fresh = false;
  if (at != NULL && at->slotted) {
    if (at->row == NULL) at->row = take(p, b, size);
    return at->row;
  }
  bool single = lar_kernel_is_single(k, i);
  row *known = find(b, x, single);
  if (known != NULL) return known->at;
  *fresh = true;
  b->row[b->nrow] = (row){x->storage, (size_t)x->offset * size, size, single, take(p, b, size)};
  return b->row[b->nrow++].at;
}

static void add(lar_plan *p, struct lar_brief *b, const lar_kernel *k) {
  act *a = &b->act[b->nact++];
  bool fresh;
  a->fn = k->job->kernel;
  a->f = k->job->f;
  for (int i = 1; i <= k->nin; i++) {
    a->in[i - 1] = locate(p, b, k, i, &fresh);
    if (fresh) b->load[b->nload++] = b->row[b->nrow - 1];
  }
  a->out = locate(p, b, k, 0, &fresh);
  if (fresh) b->store[b->nstore++] = b->row[b->nrow - 1];
}

static lar_status make(lar_plan *p, lar_item *it) {
  size_t n = (size_t)it->n, most = n * (LAR_MAP_IN + 1);
  void *at;
  LAR_TRY(lar_alloc(&at, 1, sizeof *it->brief + n * sizeof(act) + 3 * most * sizeof(row)));
  struct lar_brief *b = it->brief = at;
  b->act = (act *)(b + 1);
  b->row = (row *)(b->act + n);
  b->load = b->row + most;
  b->store = b->load + most;
  b->n = lar_kernel_length(&p->kernel[it->first]);
  b->wide = rounded(b->n, VECTOR);
  for (int k = it->first; k < it->first + it->n; k++) add(p, b, &p->kernel[k]);
  return LAR_OK;
}

lar_status lar_plan_brief(lar_plan *p) {
  size_t bytes = 0;
  find_kept(p);
  for (int i = 0; i < p->nitem; i++)
    if (is_brief(p, &p->item[i]))
      bytes += (size_t)p->item[i].n * (LAR_MAP_IN + 1) * SHORT * sizeof(double);
  if (bytes == 0) return LAR_OK;
  LAR_TRY(lar_alloc_raw(&p->block, 1, bytes));
  for (int i = 0; i < p->nitem; i++)
    if (is_brief(p, &p->item[i])) LAR_TRY(make(p, &p->item[i]));
  return LAR_OK;
}

/* ---- running ---- */

static void repeat(char *to, size_t size, int64_t from, int64_t end, const char *x) {
  if (size == sizeof(uint32_t))
    for (int64_t k = from; k < end; k++) ((uint32_t *)to)[k] = *(const uint32_t *)x;
  else if (size == sizeof(uint64_t))
    for (int64_t k = from; k < end; k++) ((uint64_t *)to)[k] = *(const uint64_t *)x;
  else
    memset(to + from, *x, (size_t)(end - from));
}

static void bring(const struct lar_brief *b, const row *r) {
  const char *from = (const char *)r->s->data + r->byte;
  int64_t n = r->single ? 1 : b->n;
  memcpy(r->at, from, (size_t)n * r->size);
  repeat(r->at, r->size, n, b->wide, from + (size_t)(n - 1) * r->size);
}

void lar_plan_run_brief(const struct lar_brief *b) {
  for (int k = 0; k < b->nload; k++) bring(b, &b->load[k]);
  for (const act *a = b->act; a < b->act + b->nact; a++) a->fn(b->wide, a->out, a->in, a->f);
  for (const row *r = b->store; r < b->store + b->nstore; r++)
    memcpy((char *)r->s->data + r->byte, r->at, (size_t)b->n * r->size);
}
