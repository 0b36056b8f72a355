/* Elementwise kernels that the op before them does itself, while it writes: a pass over memory
 * less, and the same bits. */
#include "core/mem.h"
#include "grad/plan_parts.h"
#include "op/calc.h"

/* The buffer that a tensor fills from end to end; NULL where it does not, or where the buffer
 * is not the plan's own. */
static lar_place *buffer(const lar_plan *p, const lar_tensor *x) {
  const lar_storage *s = x->storage;
  if (s < p->head || s >= p->head + p->nbuf || x->offset != 0) return NULL;
  lar_place *at = &p->place[s - p->head];
  size_t bytes = (size_t)lar_tensor_numel(x) * lar_dtype_size(x->dtype);
  return lar_tensor_is_contiguous(x) && bytes == at->bytes ? at : NULL;
}

static bool same(const lar_plan *p, const lar_tensor *a, const lar_tensor *b) {
  return a->storage == b->storage && a->dtype == b->dtype && buffer(p, a) != NULL &&
         buffer(p, b) != NULL && lar_tensor_same_shape(a, b);
}

static bool reads(const lar_kernel *k, const lar_storage *s) {
  for (int j = k->nout; j < k->nout + k->nin; j++)
    if (k->x[j].storage == s) return true;
  return false;
}

/* Made by the kernel, whole, and changed by nothing else. */
static bool makes(const lar_plan *p, const lar_kernel *k) {
  const lar_place *at = buffer(p, &k->x[0]);
  return k->nout == 1 && k->place[0] != NULL && at != NULL && at->maker == k->record &&
         !at->written && !at->constant;
}

/* The kernel that k may do itself: the first that reads its result, element by element. */
static int follower(const lar_plan *p, int k) {
  const lar_kernel *a = &p->kernel[k];
  int n = k + 1, end = k < p->split ? p->split : p->nkernel;
  if (a->kind != LAR_KERNEL_CALL || a->r.op->absorb == NULL || a->then != NULL ||
      !makes(p, a) || buffer(p, &a->x[0])->result)
    return -1;
  while (n < end && !reads(&p->kernel[n], a->x[0].storage)) n++;
  if (n == end) return -1;
  const lar_kernel *b = &p->kernel[n];
  bool fits = b->kind == LAR_KERNEL_MAP && makes(p, b) && same(p, &b->x[1], &a->x[0]) &&
              b->x[0].dtype == a->x[0].dtype && lar_tensor_same_shape(&b->x[0], &a->x[0]);
  if (fits && b->nin == 2) fits = same(p, &b->x[2], &a->x[a->nin]);
  return fits && b->nin <= 2 ? n : -1;
}

/* Whoever else reads a's result asks for no more than its sign, which b's result shows too. */
static bool read_for_sign(const lar_plan *p, int a, int b) {
  const lar_tensor *x = &p->kernel[a].x[0];
  for (int k = a + 1; k < p->nkernel; k++) {
    const lar_kernel *c = &p->kernel[k];
    if (k == b || !reads(c, x->storage)) continue;
    if (c->kind != LAR_KERNEL_MAP || c->r.op != LAR_OP(relu_slope) || !same(p, &c->x[2], x) ||
        c->x[1].storage == x->storage || p->kernel[b].r.op != LAR_OP(relu))
      return false;
  }
  return true;
}

static void replace(lar_tensor *x, const lar_tensor *by) {
  lar_storage *s = lar_storage_ref(by->storage);
  lar_storage_unref(x->storage);
  x->storage = s;
}

/* a writes where b did, and those that read a's result read that. */
static void join(lar_plan *p, int k, int n) {
  lar_kernel *a = &p->kernel[k], *b = &p->kernel[n];
  const lar_storage *old = a->x[0].storage;
  for (int c = k + 1; c < p->nkernel; c++)
    for (int j = p->kernel[c].nout; c != n && j < p->kernel[c].nout + p->kernel[c].nin; j++)
      if (p->kernel[c].x[j].storage == old) replace(&p->kernel[c].x[j], &b->x[0]);
  replace(&a->x[0], &b->x[0]);
  a->place[0] = b->place[0];
  a->then = b->r.op;
  p->place[b->place[0] - p->head].maker = a->record;
  lar_kernel_clear(b);
  for (int c = n; c + 1 < p->nkernel; c++) p->kernel[c] = p->kernel[c + 1];
  p->nkernel--;
  if (n < p->split) p->split--;
}

void lar_plan_absorb(lar_plan *p) {
  for (int k = 0; k < p->nkernel; k++) {
    int n = follower(p, k);
    if (n >= 0 && read_for_sign(p, k, n) &&
        p->kernel[k].r.op->absorb(&p->kernel[k].r.attr, p->kernel[n].r.op))
      join(p, k, n);
  }
}
