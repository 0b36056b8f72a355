#include "kern/lapack.h"
#include "op/matrices.h"

static lar_status forward(lar_io *io) {
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  int64_t m = a.shape[a.ndim - 2], n = a.shape[a.ndim - 1], k = m < n ? m : n;
  int64_t count = lar_matrices_count(&a, 2);
  LAR_GO(lar_matrices_output(io, 0, &a, 2, m, k));
  LAR_GO(lar_matrices_output(io, 1, &a, 2, k, n));
  for (int64_t i = 0; i < count && st == LAR_OK; i++) {
    lar_tensor x = lar_matrices_at(&a, 2, i), q = lar_matrices_at(&io->out[0], 2, i),
               r = lar_matrices_at(&io->out[1], 2, i);
    st = lar_lapack_qr(&q, &r, &x);
  }
done:
  lar_tensor_clear(&a);
  return st;
}

static lar_var *or_zeros(lar_scope *s, lar_var *g, lar_var *like) {
  return g != NULL ? g : lar_full_like(s, like, 0);
}

/* x of full rank with no more columns than rows, r square:
 * (gq + q h) r^-T, h = the upper triangle of gr r' - q' gq made symmetric (Walter & Lehmann
 * 2013). */
static lar_var *tall(lar_scope *s, lar_var *q, lar_var *r, lar_var *gq, lar_var *gr) {
  lar_var *m =
    lar_sub(s, lar_matmul(s, gr, lar_adjoint(s, r)), lar_matmul(s, lar_adjoint(s, q), gq));
  lar_var *upper = LAR_CALL1(s, triu, m);
  lar_attr above = {.n = 1, .i = {1}};
  lar_var *strict = m == NULL ? NULL : lar_apply(s, LAR_OP(triu), &above, 1, &m);
  lar_var *h = lar_add(s, upper, lar_adjoint(s, strict));
  lar_var *b = lar_add(s, gq, lar_matmul(s, q, h));
  lar_var *in[] = {r, lar_adjoint(s, b)};
  if (in[1] == NULL) return NULL;
  lar_attr upper_half = lar_attr_default(LAR_OP(solve_triangular));
  upper_half.f[0] = 1;
  return lar_adjoint(s, lar_apply(s, LAR_OP(solve_triangular), &upper_half, 2, in));
}

/* A wide x is a square part that q comes from, and columns that are only multiplied. */
static lar_var *wide(lar_vjp *v, int64_t m, int64_t n) {
  lar_scope *s = v->s;
  lar_var *q = v->y[0], *r = v->y[1], *gr = or_zeros(s, v->g[1], r);
  lar_var *rest = lar_narrow(s, v->x[0], -1, m + 1, n - m);
  lar_var *g_rest = lar_narrow(s, gr, -1, m + 1, n - m);
  lar_var *gq =
    lar_add(s, or_zeros(s, v->g[0], q), lar_matmul(s, rest, lar_adjoint(s, g_rest)));
  lar_var *parts[] = {tall(s, q, lar_narrow(s, r, -1, 1, m), gq, lar_narrow(s, gr, -1, 1, m)),
                      lar_matmul(s, q, g_rest)};
  if (parts[0] == NULL || parts[1] == NULL) return NULL;
  lar_attr last = {.n = 1, .i = {-1}};
  return lar_apply(s, LAR_OP(cat), &last, 2, parts);
}

static void vjp(lar_vjp *v) {
  const lar_tensor *x = &v->x[0]->t;
  int64_t m = x->shape[x->ndim - 2], n = x->shape[x->ndim - 1];
  if (m < n)
    v->gx[0] = wide(v, m, n);
  else
    v->gx[0] = tall(v->s, v->y[0], v->y[1], or_zeros(v->s, v->g[0], v->y[0]),
                    or_zeros(v->s, v->g[1], v->y[1]));
}

LAR_ENTRY(op, qr) = {
  .name = "qr",
  .doc = "Q, R with x = Q R, Q'Q = 1, R upper with no negative number on its diagonal; thin",
  .args = "x",
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = vjp,
};
