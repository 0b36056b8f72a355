/* Convolutions whose outputs are asked for by windows of 2 by 2 alone, for the largest of each
 * and, on the way back, for where it is: they write just these. The outputs, four times as
 * many, never go to memory. The bits are the same. */
#include <string.h>

#include "grad/plan_parts.h"
#include "op/calc.h"
#include "op/pooling.h"

static bool same_windows(const lar_kernel *a, const lar_kernel *b) {
  return memcmp(a->r.attr.i, b->r.attr.i, sizeof(lar_window)) == 0;
}

/* The kernel that takes the largest, where those that read y are that and what spreads
 * gradients by it; -1: there is no such, or somebody else reads it too. `spread`: is there
 * any? */
static int taker(const lar_plan *p, int k, bool *spread) {
  const lar_tensor *y = &p->kernel[k].x[0];
  int found = -1;
  *spread = false;
  for (int n = k + 1; n < p->nkernel; n++) {
    const lar_kernel *b = &p->kernel[n];
    if (!lar_kernel_reads(b, y->storage)) continue;
    if (b->kind != LAR_KERNEL_CALL) return -1;
    if (found < 0 && b->r.op == LAR_OP(max_pool) && lar_plan_makes(p, b) &&
        lar_plan_same(p, &b->x[1], y))
      found = n;
    else if (found >= 0 && b->r.op == LAR_OP(max_spread) && b->x[1].storage != y->storage &&
             lar_plan_same(p, &b->x[2], y) && same_windows(b, &p->kernel[found]))
      *spread = true;
    else
      return -1;
  }
  return found;
}

/* A byte for each window, in the buffer of the outputs that are no more. */
static lar_tensor codes_of(lar_plan *p, const lar_kernel *a, const lar_tensor *top) {
  lar_tensor codes = *top;
  codes.dtype = LAR_BOOL;
  codes.storage = a->x[0].storage;
  size_t bytes = (size_t)lar_tensor_numel(&codes);
  lar_plan_buffer(p, &a->x[0])->bytes = bytes;
  codes.storage->bytes = bytes;
  return codes;
}

/* Those that spread gradients read codes. */
static void decode(lar_plan *p, int k, const lar_tensor *codes) {
  for (int n = k + 1; n < p->nkernel; n++) {
    lar_kernel *b = &p->kernel[n];
    if (b->r.op != LAR_OP(max_spread) || b->x[2].storage != codes->storage) continue;
    b->r.attr.i[LAR_WINDOW_POOL] = LAR_POOL_CODES;
    lar_tensor_clear(&b->x[2]);
    lar_tensor_ref(&b->x[2], codes);
  }
}

/* k takes over what n does. */
static lar_status join(lar_plan *p, int k, int n, bool spread) {
  enum { MOST = 8 };
  lar_kernel *a = &p->kernel[k];
  const lar_kernel *b = &p->kernel[n];
  const lar_tensor *t[MOST] = {&b->x[0]};
  lar_storage *place[] = {b->place[0], a->place[0]};
  lar_tensor codes = {0};
  int nout = spread ? 2 : 1;
  if (a->nin + nout > MOST) return LAR_OK;
  if (spread) {
    codes = codes_of(p, a, &b->x[0]);
    t[1] = &codes;
  }
  for (int j = 0; j < a->nin; j++) t[nout + j] = &a->x[1 + j];
  LAR_TRY(lar_kernel_take(a, nout, a->nin, t, place));
  a->r.attr.i[LAR_WINDOW_POOL] = spread ? LAR_POOL_CODES : LAR_POOL_PLAIN;
  a->also = b->r.op;
  p->place[b->place[0] - p->head].maker = a->record;
  if (spread) decode(p, k, &codes);
  lar_plan_drop(p, n);
  return LAR_OK;
}

lar_status lar_plan_pool(lar_plan *p) {
  for (int k = 0; k < p->nkernel; k++) {
    lar_kernel *a = &p->kernel[k];
    bool spread;
    if (a->kind != LAR_KERNEL_CALL || a->r.op != LAR_OP(conv) || !lar_plan_makes(p, a) ||
        lar_plan_buffer(p, &a->x[0])->result)
      continue;
    int n = taker(p, k, &spread);
    if (n < 0 || (k < p->split) != (n < p->split)) continue;
    if (lar_pool_by_conv(&p->kernel[n].r.attr, &a->r.attr, &a->x[1], &a->x[2]))
      LAR_TRY(join(p, k, n, spread));
  }
  return LAR_OK;
}
