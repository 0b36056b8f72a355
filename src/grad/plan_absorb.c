/* Elementwise kernels that the op before them does itself, while it writes: a pass over memory
 * less, and the same bits. */
#include "core/mem.h"
#include "grad/plan_parts.h"
#include "op/calc.h"

lar_place *lar_plan_buffer(const lar_plan *p, const lar_tensor *x) {
  const lar_storage *s = x->storage;
  if (s < p->head || s >= p->head + p->nbuf || x->offset != 0) return NULL;
  lar_place *at = &p->place[s - p->head];
  size_t bytes = (size_t)lar_tensor_numel(x) * lar_dtype_size(x->dtype);
  return lar_tensor_is_contiguous(x) && bytes == at->bytes ? at : NULL;
}

bool lar_plan_same(const lar_plan *p, const lar_tensor *a, const lar_tensor *b) {
  return a->storage == b->storage && a->dtype == b->dtype && lar_plan_buffer(p, a) != NULL &&
         lar_plan_buffer(p, b) != NULL && lar_tensor_same_shape(a, b);
}

bool lar_kernel_reads(const lar_kernel *k, const lar_storage *s) {
  for (int j = k->nout; j < k->nout + k->nin; j++)
    if (k->x[j].storage == s) return true;
  return false;
}

bool lar_plan_makes(const lar_plan *p, const lar_kernel *k) {
  const lar_place *at = lar_plan_buffer(p, &k->x[0]);
  return k->nout == 1 && k->place[0] != NULL && at != NULL && at->maker == k->record &&
         !at->written && !at->constant;
}

static bool alike(const lar_tensor *a, const lar_tensor *b) {
  return a->dtype == b->dtype && lar_tensor_same_shape(a, b);
}

/* Is x what it will be when kernel k runs? */
static bool there(const lar_plan *p, const lar_kernel *k, const lar_tensor *x) {
  const lar_place *at = lar_plan_buffer(p, x);
  return at != NULL && !at->written && at->maker < k->record;
}

/* The second operand of b is one that a does not have. */
static bool asks_more(const lar_plan *p, const lar_kernel *a, const lar_kernel *b) {
  return b->nin == 2 && !lar_plan_same(p, &b->x[2], &a->x[a->nin]);
}

/* The kernel that k may do itself: the first that reads its result, element by element. */
static int follower(const lar_plan *p, int k) {
  const lar_kernel *a = &p->kernel[k];
  int n = k + 1, end = k < p->split ? p->split : p->nkernel;
  if (a->kind != LAR_KERNEL_CALL || a->r.op->absorb == NULL || a->then != NULL ||
      !lar_plan_makes(p, a) || lar_plan_buffer(p, &a->x[0])->result)
    return -1;
  while (n < end && !lar_kernel_reads(&p->kernel[n], a->x[0].storage)) n++;
  if (n == end) return -1;
  const lar_kernel *b = &p->kernel[n];
  bool fits = b->kind == LAR_KERNEL_MAP && b->nin <= 2 && lar_plan_makes(p, b) &&
              lar_plan_same(p, &b->x[1], &a->x[0]) && alike(&b->x[0], &a->x[0]);
  if (fits && asks_more(p, a, b))
    fits =
      alike(&b->x[2], &a->x[0]) && b->x[2].storage != a->x[0].storage && there(p, a, &b->x[2]);
  return fits ? n : -1;
}

/* Whoever else reads a's result asks for no more than its sign, which b's result shows too. */
static bool read_for_sign(const lar_plan *p, int a, int b) {
  const lar_tensor *x = &p->kernel[a].x[0];
  for (int k = a + 1; k < p->nkernel; k++) {
    const lar_kernel *c = &p->kernel[k];
    if (k == b || !lar_kernel_reads(c, x->storage)) continue;
    if (c->kind != LAR_KERNEL_MAP || c->r.op != LAR_OP(relu_slope) ||
        !lar_plan_same(p, &c->x[2], x) || c->x[1].storage == x->storage ||
        p->kernel[b].r.op != LAR_OP(relu))
      return false;
  }
  return true;
}

void lar_plan_replace(lar_tensor *x, const lar_storage *by) {
  lar_storage *s = lar_storage_ref((lar_storage *)by);
  lar_storage_unref(x->storage);
  x->storage = s;
}

void lar_plan_drop(lar_plan *p, int n) {
  lar_kernel_clear(&p->kernel[n]);
  for (int c = n; c + 1 < p->nkernel; c++) p->kernel[c] = p->kernel[c + 1];
  p->nkernel--;
  if (n < p->split) p->split--;
}

lar_status lar_kernel_take(lar_kernel *k, int nout, int nin, const lar_tensor *const *t,
                           lar_storage *const *place) {
  lar_kernel fresh = *k;
  fresh.x = NULL, fresh.t = NULL, fresh.place = NULL;
  fresh.nout = nout, fresh.nin = nin;
  lar_status st = lar_kernel_room(&fresh);
  for (int j = 0; st == LAR_OK && j < nout + nin; j++) lar_tensor_ref(&fresh.x[j], t[j]);
  for (int j = 0; st == LAR_OK && j < nout; j++) fresh.place[j] = place[j];
  lar_kernel_clear(st == LAR_OK ? k : &fresh);
  if (st == LAR_OK) *k = fresh;
  return st;
}

/* b's second operand becomes one more input of a. */
static lar_status extend(lar_kernel *a, const lar_kernel *b) {
  enum { MOST = 8 };
  const lar_tensor *t[MOST];
  if (a->nin + 2 > MOST) return lar_fail(LAR_EARG, "%s has too many inputs", a->r.op->name);
  for (int j = 0; j <= a->nin; j++) t[j] = a->t[j];
  t[a->nin + 1] = b->t[2];
  return lar_kernel_take(a, 1, a->nin + 1, t, a->place);
}

/* a writes where b did, and those that read a's result read that. */
static void join(lar_plan *p, int k, int n) {
  lar_kernel *a = &p->kernel[k], *b = &p->kernel[n];
  const lar_storage *old = a->x[0].storage;
  for (int c = k + 1; c < p->nkernel; c++)
    for (int j = p->kernel[c].nout; c != n && j < p->kernel[c].nout + p->kernel[c].nin; j++)
      if (p->kernel[c].x[j].storage == old)
        lar_plan_replace(&p->kernel[c].x[j], b->x[0].storage);
  lar_plan_replace(&a->x[0], b->x[0].storage);
  a->place[0] = b->place[0];
  a->then = b->r.op;
  p->place[b->place[0] - p->head].maker = a->record;
  lar_plan_drop(p, n);
}

lar_status lar_plan_absorb(lar_plan *p) {
  for (int k = 0; k < p->nkernel; k++) {
    lar_kernel *a = &p->kernel[k];
    int n = follower(p, k);
    if (n < 0 || !read_for_sign(p, k, n)) continue;
    const lar_kernel *b = &p->kernel[n];
    bool more = asks_more(p, a, b);
    if (!a->r.op->absorb(&a->r.attr, b->r.op, more)) continue;
    if (more) LAR_TRY(extend(a, b));
    join(p, k, n);
  }
  return LAR_OK;
}
