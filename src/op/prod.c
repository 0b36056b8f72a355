#include "kern/copy.h"
#include "kern/reduce.h"
#include "op/reduce.h"
#include "op/scan.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) {
  bool covered[LAR_MAX_NDIM];
  LAR_TRY(lar_dims(io->attr, 0, io->in[0]->ndim, covered));
  io->nout = 1;
  return lar_reduce(&io->out[0], io->in[0], covered, io->attr->f[0] != 0, LAR_FOLD_PROD);
}

/* For each element the product of the others: those before it times those after it. The
 * covered dimensions are brought to the end and made one. */
static lar_var *others(lar_scope *s, lar_var *x, const bool *covered) {
  lar_attr to = {0}, back = {0};
  int64_t rows[2] = {1, 1};
  for (int pass = 0; pass < 2; pass++)
    for (int d = 0; d < x->t.ndim; d++)
      if (covered[d] == (pass == 1)) {
        back.i[d] = to.n + 1;
        to.i[to.n++] = d + 1;
        rows[pass] *= x->t.shape[d];
      }
  back.n = to.n;
  lar_var *turned = lar_apply(s, LAR_OP(permute), &to, 1, &x);
  lar_var *flat = lar_reshape(s, turned, 2, rows);
  lar_var *before = lar_scan_apply(s, LAR_OP(cumprod), 1, &flat, -1, false);
  lar_var *after = lar_scan_apply(s, LAR_OP(cumprod), 1, &flat, -1, true);
  lar_var *rest =
    lar_mul(s, lar_scan_shift(s, before, -1, false, 1), lar_scan_shift(s, after, -1, true, 1));
  if (rest == NULL) return NULL;
  rest = lar_reshape(s, rest, x->t.ndim, turned->t.shape);
  return rest == NULL ? NULL : lar_apply(s, LAR_OP(permute), &back, 1, &rest);
}

static void vjp(lar_vjp *v) {
  bool covered[LAR_MAX_NDIM];
  (void)lar_dims(v->attr, 0, v->x[0]->t.ndim, covered);
  lar_var *g = lar_unreduce(v->s, v->g[0], v->x[0], v->attr);
  v->gx[0] = lar_mul(v->s, g, others(v->s, v->x[0], covered));
}

LAR_ENTRY(op, prod) = {
  .name = "prod",
  .doc = "product of all elements or over dimensions",
  .args = "xD",
  .params = params,
  .nin = 1,
  .forward = forward,
  .vjp = vjp,
};
