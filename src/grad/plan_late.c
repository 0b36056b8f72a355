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

/* The result that is one gradient alone and fills the buffer that the kernel makes; or NULL. */
static lar_plan_out *gradient_of(const lar_plan *p, const lar_kernel *k) {
  lar_plan_out *found = NULL;
  if (k->nout != 1 || k->place[0] == NULL) return NULL;
  const lar_place *at = &p->place[k->place[0] - p->head];
  if (!at->gradient || at->written || read_by_some(p, k->place[0])) return NULL;
  for (int j = 0; j < p->nout; j++) {
    if (p->out[j].buf != (int)(at - p->place)) continue;
    if (found != NULL) return NULL;
    found = &p->out[j];
  }
  return found;
}

static bool is_late(const lar_kernel *k) {
  return k->kind == LAR_KERNEL_CALL && k->r.op == LAR_OP(matmul2) &&
         is_matrix(&k->x[1], k->x[0].dtype) && is_matrix(&k->x[2], k->x[0].dtype) &&
         lar_gemm_rows_room(&k->x[1], &k->x[2]) > 0;
}

void lar_plan_find_late(lar_plan *p) {
  for (int i = 0; i < p->nkernel; i++) {
    lar_kernel *k = &p->kernel[i];
    lar_plan_out *o = is_late(k) ? gradient_of(p, k) : NULL;
    k->late = o != NULL;
    if (k->late) o->late = k;
  }
}

void lar_plan_leave(lar_plan *p, bool on) { p->leaves = on; }

bool lar_plan_factors(const lar_plan *p, int k, const lar_tensor **a, const lar_tensor **b) {
  const lar_kernel *at = p->leaves ? p->out[k].late : NULL;
  if (at == NULL) return false;
  *a = at->t[1], *b = at->t[2];
  return true;
}
