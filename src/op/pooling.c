#include "op/pooling.h"

#include "kern/copy.h"
#include "op/along.h"

enum {
  SIZE = 0,
  OUT = 2,
  KERNEL = 4,
  STRIDE = 6,
  PAD = 8,
  DILATION = 10,
  COUNT_PAD = 12,
  INTS = LAR_POOL_CLIP + 1
};

static void to_attr(lar_attr *a, const lar_pool *v) {
  *a = (lar_attr){.n = INTS};
  for (int d = 0; d < 2; d++) {
    a->i[SIZE + d] = v->size[d];
    a->i[OUT + d] = v->out[d];
    a->i[KERNEL + d] = v->kernel[d];
    a->i[STRIDE + d] = v->stride[d];
    a->i[PAD + d] = v->pad[d];
    a->i[DILATION + d] = v->dilation[d];
  }
  a->i[COUNT_PAD] = v->count_pad;
  a->i[LAR_POOL_CLIP] = v->clip;
}

static void from_attr(lar_pool *v, const lar_attr *a) {
  *v = (lar_pool){.count_pad = a->i[COUNT_PAD] != 0, .clip = a->i[LAR_POOL_CLIP] != 0};
  for (int d = 0; d < 2; d++) {
    v->size[d] = a->i[SIZE + d];
    v->out[d] = a->i[OUT + d];
    v->kernel[d] = a->i[KERNEL + d];
    v->stride[d] = a->i[STRIDE + d];
    v->pad[d] = a->i[PAD + d];
    v->dilation[d] = a->i[DILATION + d];
  }
}

/* ---- options ---- */

static int64_t pick(const double pair[2], int d) {
  return (int64_t)(d == 1 && pair[1] < 0 ? pair[0] : pair[d]);
}

lar_status lar_pool_measure(lar_pool *v, const lar_pool_options *o) {
  lar_conv c = {0};
  for (int d = 0; d < 2; d++) {
    c.size[d] = v->size[d];
    c.kernel[d] = v->kernel[d] = pick(o->kernel, d);
    if (v->kernel[d] < 1)
      return lar_fail(LAR_EARG, "the kernel is at least 1, not %lld", (long long)v->kernel[d]);
    if (pick(o->padding, d) * 2 > v->kernel[d])
      return lar_fail(LAR_EARG, "padding = %lld is more than half of a kernel of %lld",
                      (long long)pick(o->padding, d), (long long)v->kernel[d]);
  }
  lar_conv_options with = {.padding = {o->padding[0], o->padding[1]},
                           .dilation = {o->dilation[0], o->dilation[1]}};
  for (int d = 0; d < 2; d++)
    with.stride[d] = o->stride[0] < 0 ? (double)v->kernel[d] : o->stride[d];
  LAR_TRY(lar_conv_measure(&c, &with));
  for (int d = 0; d < 2; d++) {
    v->stride[d] = c.stride[d];
    v->pad[d] = c.pad[d];
    v->dilation[d] = c.dilation[d];
    v->out[d] = c.out[d];
  }
  return LAR_OK;
}

lar_status lar_pool_pair(const lar_attr *a, const char *what, double pair[2]) {
  if (a->n < 1 || a->n > 2)
    return lar_fail(LAR_EARG, "%s is a number or {rows, columns}, not a list of %d", what,
                    a->n);
  for (int k = 0; k < 2; k++) {
    pair[k] = (double)a->i[k < a->n ? k : 0];
    if (pair[k] < 1) return lar_fail(LAR_EARG, "%s is at least 1, not %g", what, pair[k]);
  }
  return LAR_OK;
}

static lar_status check_images(lar_pool *v, const lar_tensor *x) {
  if (x->ndim != 4)
    return lar_fail(LAR_ESHAPE, "input %s is not (samples, channels, rows, columns)",
                    lar_tensor_text(x));
  if (x->shape[2] * x->shape[3] == 0)
    return lar_fail(LAR_ESHAPE, "input %s has no elements to choose from", lar_tensor_text(x));
  if (!lar_dtype_is_float(x->dtype))
    return lar_fail(LAR_EDTYPE, "the input must hold floats, not %s", lar_dtype_name(x->dtype));
  v->size[0] = x->shape[2];
  v->size[1] = x->shape[3];
  return LAR_OK;
}

static lar_var *apply(lar_scope *s, const lar_op *op, const lar_pool *v, lar_var *x) {
  lar_attr attr;
  to_attr(&attr, v);
  return lar_apply(s, op, &attr, 1, &x);
}

lar_var *lar_pool_windows(lar_scope *s, const lar_op *op, const lar_pool_options *o,
                          bool count_pad, lar_var *x) {
  lar_pool v = {.count_pad = count_pad};
  if (x == NULL) return NULL;
  lar_status st = check_images(&v, &x->t);
  if (st == LAR_OK) st = lar_pool_measure(&v, o);
  return st == LAR_OK ? apply(s, op, &v, x) : lar_scope_fail(s, st);
}

lar_var *lar_pool_parts(lar_scope *s, const lar_op *op, const double out[2], lar_var *x) {
  lar_pool v = {.out = {(int64_t)out[0], (int64_t)out[1]}};
  if (x == NULL) return NULL;
  lar_status st = check_images(&v, &x->t);
  return st == LAR_OK ? apply(s, op, &v, x) : lar_scope_fail(s, st);
}

/* ---- forward of the hidden ops ---- */

lar_status lar_pooling_init(lar_pooling *p, lar_io *io, bool spread) {
  const lar_tensor *x = io->in[0];
  *p = (lar_pooling){.dtype = x->dtype};
  from_attr(&p->v, io->attr);
  p->v.planes = x->shape[0] * x->shape[1];
  if (io->nin > 1) p->dtype = lar_dtype_promote(p->dtype, io->in[1]->dtype);
  for (int k = 0; k < io->nin; k++) LAR_TRY(lar_contiguous(&p->in[k], io->in[k], p->dtype));
  const int64_t *size = spread ? p->v.size : p->v.out;
  io->nout = 1;
  return lar_tensor_init(&io->out[0], p->dtype, 4,
                         (int64_t[]){x->shape[0], x->shape[1], size[0], size[1]});
}

void lar_pooling_clear(lar_pooling *p) {
  lar_tensor_clear(&p->in[0]);
  lar_tensor_clear(&p->in[1]);
}
