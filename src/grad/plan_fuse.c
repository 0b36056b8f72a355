/* Elementwise kernels in a row as one, tosses of coins among them: a piece that stays in the
 * cache goes through all of them before the next. The kernels and their order are the same, and
 * so are the bits. */
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "grad/plan_parts.h"
#include "kern/copy.h"
#include "op/random.h"

enum { PIECE = 512, SLOTS = 24, NONE = -1 };

/* One kernel of a chain: where its operands (result first) lie. */
struct lar_link {
  lar_map *fn;
  const lar_draw *draw; /* in the place of fn */
  uint64_t from;        /* where its stream stands in this run */
  const double *f;
  int nin;
  const lar_storage *s[LAR_MAP_IN + 1];
  size_t byte[LAR_MAP_IN + 1], size[LAR_MAP_IN + 1];
  lar_dtype dtype[LAR_MAP_IN + 1];
  int slot[LAR_MAP_IN + 1];  /* of the piece at hand; NONE: in memory */
  bool fill[LAR_MAP_IN + 1]; /* one element for all: the slot is filled with it */
};

/* ---- which ---- */

int64_t lar_kernel_length(const lar_kernel *k) {
  return k->kind == LAR_KERNEL_DRAW ? lar_tensor_numel(k->t[0]) : k->job->loop.shape[0];
}

static int64_t stride(const lar_kernel *k, int i) {
  return k->kind == LAR_KERNEL_DRAW ? 1 : k->job->loop.stride[i][0];
}

bool lar_kernel_is_row(const lar_kernel *k) {
  if (k->kind == LAR_KERNEL_DRAW)
    return k->r.draw.kind == LAR_DRAW_COIN && lar_kernel_length(k) > 0 &&
           lar_tensor_is_contiguous(k->t[0]);
  if (k->kind != LAR_KERNEL_MAP) return false;
  const lar_map_job *j = k->job;
  if (j->loop.ndim != 1 || j->unpack != NULL || lar_kernel_length(k) < 1) return false;
  for (int i = 0; i <= j->nin; i++) {
    int64_t step = j->loop.stride[i][0];
    bool single = i > 0 && step == 0;
    if ((step != 1 && !single && lar_kernel_length(k) != 1) ||
        (i > 0 && j->pack[i - 1] != NULL))
      return false;
  }
  return true;
}

/* May b join a chain that holds a? Where both see one buffer, element i of both must be the
 * same, or neither writes it. */
static bool agree(const lar_kernel *a, const lar_kernel *b) {
  for (int i = 0; i <= a->nin; i++)
    for (int j = 0; j <= b->nin; j++) {
      const lar_tensor *x = a->t[i], *y = b->t[j];
      if (x->storage != y->storage || (i > 0 && j > 0)) continue;
      bool rows = lar_kernel_length(a) == 1 || (stride(a, i) == 1 && stride(b, j) == 1);
      if (!rows || x->offset != y->offset || x->dtype != y->dtype) return false;
    }
  return true;
}

bool lar_kernel_is_single(const lar_kernel *k, int i) {
  return stride(k, i) == 0 && lar_kernel_length(k) > 1;
}

static int count_singles(const lar_kernel *k, int n) {
  int singles = 0;
  for (int j = 0; j < n; j++)
    for (int i = 1; i <= k[j].nin; i++) singles += lar_kernel_is_single(&k[j], i);
  return singles;
}

static bool joins(const lar_plan *p, int first, int k) {
  if (!lar_kernel_is_row(&p->kernel[k]) ||
      lar_kernel_length(&p->kernel[k]) != lar_kernel_length(&p->kernel[first]) ||
      count_singles(&p->kernel[first], k - first + 1) > SLOTS / 2)
    return false;
  for (int j = first; j < k; j++)
    if (!agree(&p->kernel[j], &p->kernel[k])) return false;
  return true;
}

/* Chains within the forward part and within the rest. */
lar_status lar_plan_group(lar_plan *p) {
  enum { LONGEST = 64 };
  void *at;
  LAR_TRY(lar_alloc(&at, (size_t)p->nkernel + 1, sizeof *p->item));
  p->item = at;
  int split = p->nkernel;
  for (int k = 0, n; k < p->nkernel; k += n) {
    n = 1;
    if (k == p->split) split = p->nitem;
    if (lar_kernel_is_row(&p->kernel[k]))
      while (n < LONGEST && k + n < p->nkernel && k + n != p->split && joins(p, k, k + n)) n++;
    p->item[p->nitem++] = (lar_item){.first = k, .n = n};
  }
  p->split = p->split < p->nkernel ? split : p->nitem; /* an item from now on */
  return LAR_OK;
}

/* ---- where ---- */

/* Is the operand a whole buffer that lives in this chain alone? */
static bool is_local(const lar_plan *p, int item, const lar_kernel *k, int i) {
  const lar_storage *s = k->t[i]->storage;
  if (s < p->head || s >= p->head + p->nbuf) return false;
  const lar_place *b = &p->place[s - p->head];
  return b->maker >= 0 && !b->result && !b->constant && !b->written && b->first == item &&
         b->last == item && k->t[i]->offset == 0;
}

/* Slots of buffers come and go from below, those of single elements stay, from above: they are
 * filled once, before the first kernel. */
typedef struct slots {
  const lar_storage *of[SLOTS]; /* NULL: free */
  int last[SLOTS];              /* kernel of the chain that uses it last */
  int top;
} slots;

static int last_use(const lar_kernel *k, int from, int n, const lar_storage *s) {
  int last = from;
  for (int j = from; j < n; j++)
    for (int i = 0; i <= k[j].nin; i++)
      if (k[j].t[i]->storage == s) last = j;
  return last;
}

static int take(slots *t, const lar_storage *s, int last) {
  for (int k = 0; k < t->top; k++)
    if (t->of[k] == NULL) {
      t->of[k] = s;
      t->last[k] = last;
      return k;
    }
  return NONE;
}

static int held(const slots *t, const lar_storage *s) {
  for (int k = 0; k < t->top; k++)
    if (t->of[k] == s) return k;
  return NONE;
}

static void make_link(const lar_plan *p, int item, int at, slots *t, int *single,
                      struct lar_link *l) {
  const lar_item *it = &p->item[item];
  const lar_kernel *k = &p->kernel[it->first + at];
  *l = (struct lar_link){.nin = k->nin};
  if (k->kind == LAR_KERNEL_DRAW)
    l->draw = &k->r.draw;
  else
    l->fn = k->job->kernel, l->f = k->job->f;
  for (int i = k->nin; i >= 0; i--) {
    const lar_tensor *x = k->t[i];
    l->s[i] = x->storage;
    l->dtype[i] = x->dtype;
    l->size[i] = lar_dtype_size(x->dtype);
    l->byte[i] = (size_t)x->offset * l->size[i];
    l->slot[i] = NONE;
    l->fill[i] = lar_kernel_is_single(k, i);
    if (l->fill[i])
      l->slot[i] = (*single)++;
    else if (is_local(p, item, k, i))
      l->slot[i] = held(t, x->storage);
    if (i == 0 && l->slot[i] == NONE && is_local(p, item, k, i))
      l->slot[i] = take(t, x->storage, last_use(&p->kernel[it->first], at, it->n, x->storage));
  }
  for (int j = 0; j < t->top; j++)
    if (t->of[j] != NULL && t->last[j] == at) t->of[j] = NULL;
}

/* A buffer in a slot has no place of its own. */
static void note_slots(lar_plan *p, const lar_item *it) {
  for (int k = 0; k < it->n; k++)
    for (int i = 0; i <= it->link[k].nin; i++)
      if (it->link[k].slot[i] != NONE && !it->link[k].fill[i])
        p->place[it->link[k].s[i] - p->head].slotted = true;
}

/* After the lives of buffers are known, by item. */
lar_status lar_plan_link(lar_plan *p) {
  for (int k = 0; k < p->nitem; k++) {
    lar_item *it = &p->item[k];
    slots t = {0};
    void *at;
    if (it->n == 1 || it->brief != NULL) continue;
    t.top = SLOTS - count_singles(&p->kernel[it->first], it->n);
    LAR_TRY(lar_alloc(&at, (size_t)it->n, sizeof *it->link));
    it->link = at;
    for (int j = 0, single = t.top; j < it->n; j++)
      make_link(p, k, j, &t, &single, &it->link[j]);
    note_slots(p, it);
  }
  return LAR_OK;
}

/* ---- running ---- */

typedef char piece[PIECE * sizeof(double)];

static void fill(const lar_item *it, int64_t n, piece *buf) {
  for (int k = 0; k < it->n; k++) {
    const struct lar_link *l = &it->link[k];
    for (int i = 1; i <= l->nin; i++) {
      if (!l->fill[i]) continue;
      const char *from = (const char *)l->s[i]->data + l->byte[i];
      lar_copy_rows(l->dtype[i], l->dtype[i])(n, buf[l->slot[i]], 1, from, 0);
    }
  }
}

static void pieces(void *ctx, int64_t begin, int64_t end) {
  const lar_item *it = ctx;
  _Alignas(64) piece buf[SLOTS];
  fill(it, end - begin < PIECE ? end - begin : PIECE, buf);
  for (int64_t at = begin; at < end; at += PIECE) {
    int64_t n = end - at < PIECE ? end - at : PIECE;
    for (int k = 0; k < it->n; k++) {
      const struct lar_link *l = &it->link[k];
      void *x[LAR_MAP_IN + 1];
      for (int i = 0; i <= l->nin; i++)
        x[i] = l->slot[i] != NONE
                 ? buf[l->slot[i]]
                 : (char *)l->s[i]->data + l->byte[i] + (size_t)at * l->size[i];
      if (l->draw != NULL)
        lar_draw_coins(l->draw, l->from, l->size[0], at, n, x[0]);
      else
        l->fn(n, x[0], (const void *const *)&x[1], l->f);
    }
  }
}

void lar_plan_run_chain(const lar_plan *p, const lar_item *it) {
  int64_t n = lar_kernel_length(&p->kernel[it->first]), grain = lar_loop_grain(n);
  for (int k = 0; k < it->n; k++) {
    struct lar_link *l = &it->link[k];
    if (l->draw == NULL) continue;
    l->from = lar_draw_pass(l->draw, n);
    grain = LAR_DRAW_GRAIN;
  }
  lar_par_for(n, grain, pieces, (void *)(uintptr_t)it);
}
