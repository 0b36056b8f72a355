#include "kern/lapack.h"
#include "op/matrices.h"

static lar_status forward(lar_io *io) {
  lar_tensor a = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_matrices_input(io, 0, &a));
  int64_t m = a.shape[a.ndim - 2], n = a.shape[a.ndim - 1], k = m < n ? m : n;
  LAR_GO(lar_matrices_output(io, 0, &a, 2, m, k));
  LAR_GO(lar_matrices_output(io, 1, &a, 1, k, 0));
  LAR_GO(lar_matrices_output(io, 2, &a, 2, n, k));
  int64_t count = lar_matrices_count(&a, 2);
  for (int64_t i = 0; i < count && st == LAR_OK; i++) {
    lar_tensor x = lar_matrices_at(&a, 2, i), u = lar_matrices_at(&io->out[0], 2, i),
               s = lar_matrices_at(&io->out[1], 1, i), v = lar_matrices_at(&io->out[2], 2, i);
    st = lar_lapack_svd(&u, &s, &v, &x);
  }
done:
  lar_tensor_clear(&a);
  return st;
}

/* (x - x') / (s_j^2 - s_i^2) with x = w' gw: how w turns within its own span. */
static lar_var *turn(lar_scope *s, lar_var *w, lar_var *gw, lar_var *gaps) {
  lar_var *x = lar_matmul(s, lar_adjoint(s, w), gw);
  return lar_mul(s, lar_sub(s, x, lar_adjoint(s, x)), gaps);
}

/* (1 - w w') gw / s: how it turns out of it. */
static lar_var *leave(lar_scope *s, lar_var *w, lar_var *gw, lar_var *inverse) {
  lar_var *inside = lar_matmul(s, w, lar_matmul(s, lar_adjoint(s, w), gw));
  return lar_times_diag(s, lar_sub(s, gw, inside), inverse);
}

static lar_var *plus(lar_scope *s, lar_var *a, lar_var *b) {
  return a == NULL ? b : lar_add(s, a, b);
}

/* Townsend 2016, Differentiating the singular value decomposition. Singular values that are
 * equal, or 0 in a matrix that is not square, leave the vectors without a derivative. */
static void vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *u = v->y[0], *d = v->y[1], *w = v->y[2], *core = NULL, *gaps = NULL;
  lar_var *gu = v->g[0], *gd = v->g[1], *gw = v->g[2], *inverse = NULL;
  int64_t k = d->t.shape[d->t.ndim - 1];
  if (gu != NULL || gw != NULL) {
    gaps = lar_gaps(s, LAR_CALL1(s, square, d));
    inverse = LAR_CALL1(s, reciprocal, d);
  }
  if (gu != NULL) core = lar_times_diag(s, turn(s, u, gu, gaps), d);
  if (gw != NULL) core = plus(s, core, lar_times_diag_left(s, d, turn(s, w, gw, gaps)));
  if (gd != NULL) core = plus(s, core, lar_embed_diag(s, gd));
  lar_var *gx = lar_matmul(s, lar_matmul(s, u, core), lar_adjoint(s, w));
  if (gu != NULL && u->t.shape[u->t.ndim - 2] > k)
    gx = lar_add(s, gx, lar_matmul(s, leave(s, u, gu, inverse), lar_adjoint(s, w)));
  if (gw != NULL && w->t.shape[w->t.ndim - 2] > k)
    gx = lar_add(s, gx, lar_matmul(s, u, lar_adjoint(s, leave(s, w, gw, inverse))));
  v->gx[0] = gx;
}

LAR_ENTRY(op, svd) = {
  .name = "svd",
  .doc = "U, S, V with x = U diag(S) V', S falling; thin: min(m, n) columns",
  .args = "x",
  .nin = 1,
  .nout = 3,
  .forward = forward,
  .vjp = vjp,
};
