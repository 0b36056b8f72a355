#include "op/extreme.h"

#include "kern/copy.h"
#include "kern/extreme.h"
#include "op/along.h"

static lar_dtype ordered(lar_dtype t) { return t == LAR_BOOL ? LAR_I64 : t; }

/* The block, and the shape that is left of x. */
static lar_status prepare(lar_io *io, lar_along *a, int *ndim, int64_t *shape) {
  const lar_tensor *x = io->in[0];
  int64_t d = lar_attr_int(io->attr, 0);
  bool keep = io->attr->f[0] != 0;
  *ndim = 0;
  LAR_TRY(lar_along_init(a, x, d, ordered(x->dtype)));
  if (d == LAR_NONE) {
    a->sizes[1] = lar_tensor_numel(x);
    a->sizes[0] = a->sizes[2] = 1;
  }
  for (int e = 0; e < x->ndim; e++)
    if (d != LAR_NONE && e != a->dim)
      shape[(*ndim)++] = x->shape[e];
    else if (keep)
      shape[(*ndim)++] = 1;
  if (a->sizes[1] > 0 || a->sizes[0] * a->sizes[2] == 0) return LAR_OK;
  lar_tensor_clear(&a->t);
  return lar_fail(LAR_ESHAPE, "%s has no elements to choose from", lar_tensor_text(x));
}

static lar_status choose(lar_io *io, bool largest, bool value, bool place) {
  lar_along a;
  int ndim, n = 0;
  int64_t shape[LAR_MAX_NDIM];
  lar_status st = LAR_OK;
  LAR_TRY(prepare(io, &a, &ndim, shape));
  lar_tensor *v = NULL, *p = NULL;
  if (value) LAR_GO(lar_tensor_init(v = &io->out[n++], a.t.dtype, ndim, shape));
  if (place) LAR_GO(lar_tensor_init(p = &io->out[n++], LAR_I64, ndim, shape));
  io->nout = n;
  lar_extreme(largest, a.t.dtype, v ? lar_tensor_data(v) : NULL, p ? lar_tensor_data(p) : NULL,
              lar_tensor_data(&a.t), a.sizes);
done:
  lar_tensor_clear(&a.t);
  return st;
}

lar_status lar_extreme_forward(lar_io *io, bool largest) {
  return choose(io, largest, true, lar_attr_int(io->attr, 0) != LAR_NONE);
}

lar_status lar_extreme_place(lar_io *io, bool largest) {
  return choose(io, largest, false, true);
}

void lar_extreme_vjp(lar_vjp *v) {
  lar_scope *s = v->s;
  lar_var *x = v->x[0], *y = v->y[0], *g = v->g[0];
  int64_t d = lar_attr_int(v->attr, 0);
  if (g == NULL) return;
  if (d == LAR_NONE || x->t.ndim == 0) {
    lar_var *hit =
      lar_cast(s, LAR_CALL2(s, eq, x, lar_detach(s, lar_reshape(s, y, 0, NULL))), x->t.dtype);
    lar_var *share = lar_div(s, lar_reshape(s, g, 0, NULL), lar_sum(s, hit));
    v->gx[0] = lar_mul(s, hit, share);
    return;
  }
  bool keep = v->attr->f[0] != 0;
  lar_var *place = keep ? v->y[1] : lar_unsqueeze(s, v->y[1], d);
  if (!keep) g = lar_unsqueeze(s, g, d);
  lar_attr attr = {.n = 1, .i = {d}};
  v->gx[0] = lar_apply(s, LAR_OP(ungather), &attr, 3, (lar_var *[]){g, place, x});
}
