#include "kern/copy.h"
#include "op/along.h"
#include "op/extreme.h"
#include "op/gather.h"
#include "op/order.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

/* The place of the lower of the two middles; of the first NaN where there is one, which the
 * order puts last. `place` is a row-major block (outer, n, inner) of x's order. */
static void choose(int64_t *out, const int64_t *place, const lar_along *x) {
  int64_t n = x->sizes[1], inner = x->sizes[2];
  for (int64_t r = 0; r < x->sizes[0] * inner; r++) {
    int64_t at = (r / inner) * n * inner + r % inner, k = n - 1;
    const int64_t *p = place + at;
    double top = lar_tensor_get(&x->t, at + (p[k * inner] - 1) * inner);
    if (top == top) k = (n - 1) / 2;
    for (; k > 0 && top != top; k--) {
      double v = lar_tensor_get(&x->t, at + (p[(k - 1) * inner] - 1) * inner);
      if (v == v) break;
    }
    out[r] = p[k * inner];
  }
}

/* Of x along d, all of it flat when d is left out. */
static lar_status along(lar_io *io, const lar_tensor *x, int64_t d) {
  lar_along a;
  lar_tensor order = {0}, place = {0};
  lar_status st = LAR_OK;
  LAR_TRY(lar_along_init(&a, x, d, x->dtype));
  if (a.sizes[1] == 0 && a.sizes[0] * a.sizes[2] > 0)
    LAR_GO(lar_fail(LAR_ESHAPE, "%s has no elements to choose from", lar_tensor_text(x)));
  int64_t shape[LAR_MAX_NDIM];
  for (int e = 0; e < x->ndim; e++) shape[e] = e == a.dim ? 1 : x->shape[e];
  LAR_GO(lar_order(&order, x, d, false, LAR_NONE));
  LAR_GO(lar_tensor_init(&place, LAR_I64, x->ndim, shape));
  if (lar_tensor_numel(&place) > 0)
    choose(lar_tensor_data(&place), lar_tensor_data(&order), &a);
  LAR_GO(lar_gather(&io->out[0], x, &place, d));
  lar_tensor_ref(&io->out[1], &place);
  io->nout = 2;
done:
  lar_tensor_clear(&a.t);
  lar_tensor_clear(&order);
  lar_tensor_clear(&place);
  return st;
}

static void drop(lar_tensor *t, int d) {
  for (int e = d; e + 1 < t->ndim; e++)
    t->shape[e] = t->shape[e + 1], t->stride[e] = t->stride[e + 1];
  t->ndim--;
}

static lar_status forward(lar_io *io) {
  const lar_tensor *x = io->in[0];
  int64_t d = lar_attr_int(io->attr, 0), n = lar_tensor_numel(x);
  bool keep = io->attr->f[0] != 0;
  lar_tensor flat = {0}, row = {0};
  lar_status st = LAR_OK;
  int dim;
  if (d != LAR_NONE && x->ndim > 0) {
    LAR_TRY(lar_dim(d, x->ndim, &dim));
    LAR_TRY(along(io, x, d));
    for (int k = 0; k < 2 && !keep; k++) drop(&io->out[k], dim);
    return LAR_OK;
  }
  LAR_GO(lar_contiguous(&row, x, x->dtype));
  LAR_GO(lar_tensor_view(&flat, &row, 1, &n));
  LAR_GO(along(io, &flat, 1));
  lar_tensor_clear(&io->out[1]);
  io->nout = 1;
  io->out[0].ndim = keep ? x->ndim : 0;
  for (int e = 0; e < x->ndim; e++) io->out[0].shape[e] = io->out[0].stride[e] = 1;
done:
  lar_tensor_clear(&row);
  lar_tensor_clear(&flat);
  return st;
}

LAR_ENTRY(op, median) = {
  .name = "median",
  .doc = "the middle element, the lower of two; along a dimension also its place; NaN wins",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = lar_extreme_vjp,
};
