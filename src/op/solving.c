#include "op/solving.h"

#include "kern/lapack.h"

lar_status lar_solving_forward(lar_io *io, int kind) {
  lar_tensor a = {0}, b = {0};
  lar_status st = LAR_OK;
  LAR_GO(lar_matrices_input(io, 0, &a));
  LAR_GO(lar_matrices_input(io, 1, &b));
  int64_t n = b.shape[b.ndim - 2], k = b.shape[b.ndim - 1], count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 2, n, k));
  for (int64_t i = 0; i < count && st == LAR_OK; i++) {
    lar_tensor x = lar_matrices_at(&io->out[0], 2, i), p = lar_matrices_at(&a, 2, i),
               q = lar_matrices_at(&b, 2, i);
    st = kind == 0 ? lar_lapack_solve(&x, &p, &q)
                   : lar_lapack_solve_triangle(&x, &p, &q, kind == 2);
  }
done:
  lar_tensor_clear(&a);
  lar_tensor_clear(&b);
  return st;
}

/* b is a vector, or a batch of them when its shape is a's without the last dimension. */
static bool vectors(const lar_tensor *a, const lar_tensor *b) {
  if (b->ndim == 1) return true;
  lar_tensor lead = *a;
  lead.ndim = a->ndim - 1;
  return lar_tensor_same_shape(&lead, b);
}

static lar_var *batched(lar_scope *s, lar_var *x, int lead, const int64_t *shape) {
  int64_t full[LAR_MAX_NDIM];
  if (x == NULL) return NULL;
  for (int d = 0; d < lead; d++) full[d] = shape[d];
  full[lead] = x->t.shape[x->t.ndim - 2];
  full[lead + 1] = x->t.shape[x->t.ndim - 1];
  return lar_expand(s, x, lead + 2, full);
}

static lar_status check(const lar_tensor *a, const lar_tensor *b) {
  if (a->ndim < 2 || a->shape[a->ndim - 1] != a->shape[a->ndim - 2])
    return lar_fail(LAR_ESHAPE, "%s is not a square matrix", lar_tensor_text(a));
  int64_t rows = b->ndim < 1                     ? -1
                 : b->ndim == 1 || vectors(a, b) ? b->shape[b->ndim - 1]
                                                 : b->shape[b->ndim - 2];
  if (rows != a->shape[a->ndim - 1])
    return lar_fail(LAR_ESHAPE, "a matrix of shape %s and a right side of shape %s",
                    lar_tensor_text(a), lar_tensor_text(b));
  return LAR_OK;
}

lar_var *lar_solving_compose(lar_scope *s, const lar_op *op, const lar_attr *attr,
                             lar_var *const *in) {
  lar_var *a = in[0], *b = in[1];
  int64_t shape[LAR_MAX_NDIM];
  int lead = 0;
  lar_status st = check(&a->t, &b->t);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  bool column = vectors(&a->t, &b->t);
  if (column && (b = lar_unsqueeze(s, b, -1)) == NULL) return NULL;
  lar_tensor of_a = a->t, of_b = b->t;
  of_a.ndim -= 2, of_b.ndim -= 2;
  st = lar_shape_broadcast(&lead, shape, &of_a);
  if (st == LAR_OK) st = lar_shape_broadcast(&lead, shape, &of_b);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  a = batched(s, a, lead, shape);
  b = batched(s, b, lead, shape);
  if (a == NULL || b == NULL) return NULL;
  lar_var *x = lar_apply(s, op, attr, 2, (lar_var *[]){a, b});
  return column ? lar_squeeze(s, x, -1) : x;
}
