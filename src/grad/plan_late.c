/* Gradients that are products of matrices, and that nothing in the plan reads: whoever updates
 * the parameter can make some rows, use them and forget them. */
#include "grad/plan_parts.h"
#include "kern/gemm.h"
#include "op/calc.h"

static bool is_matrix(const lar_tensor *x, lar_dtype dtype) {
  return x->ndim == 2 && x->dtype == dtype;
}

static bool read_by_some(const lar_plan *p, const lar_storage *s) {
  for (int k = 0; k < p->nkernel; k++)
    for (int j = p->kernel[k].nout; j < p->kernel[k].nout + p->kernel[k].nin; j++)
      if (p->kernel[k].x[j].storage == s) return true;
  return false;
}

/* The buffer of one gradient alone, filled by the kernel. */
static bool makes_gradient(const lar_plan *p, const lar_kernel *k) {
  int times = 0;
  if (k->nout != 1 || k->place[0] == NULL) return false;
  const lar_place *at = &p->place[k->place[0] - p->head];
  for (int j = 0; j < p->nout; j++) times += p->out[j].buf == (int)(at - p->place);
  return times == 1 && at->gradient && !at->written && !read_by_some(p, k->place[0]);
}

void lar_plan_find_late(lar_plan *p) {
  for (int i = 0; i < p->nkernel; i++) {
    lar_kernel *k = &p->kernel[i];
    k->late = k->kind == LAR_KERNEL_CALL && k->r.op == LAR_OP(matmul2) &&
              makes_gradient(p, k) && is_matrix(&k->x[1], k->x[0].dtype) &&
              is_matrix(&k->x[2], k->x[0].dtype) && lar_gemm_rows_room(&k->x[1], &k->x[2]) > 0;
  }
}

void lar_plan_leave(lar_plan *p, bool on) { p->leaves = on; }

bool lar_plan_factors(const lar_plan *p, int k, const lar_tensor **a, const lar_tensor **b) {
  for (int i = 0; p->leaves && i < p->nkernel; i++) {
    const lar_kernel *at = &p->kernel[i];
    if (!at->late || at->place[0] != &p->head[p->out[k].buf]) continue;
    *a = at->t[1], *b = at->t[2];
    return true;
  }
  return false;
}
