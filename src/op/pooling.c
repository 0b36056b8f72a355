#include "op/pooling.h"

#include "kern/copy.h"
#include "op/along.h"

/* ---- options ---- */

lar_status lar_pool_measure(lar_pool *v, const lar_pool_options *o) {
  lar_conv c = {0};
  for (int d = 0; d < 2; d++) {
    c.size[d] = v->size[d];
    c.kernel[d] = v->kernel[d] = lar_window_pick(o->kernel, d);
    if (v->kernel[d] < 1)
      return lar_fail(LAR_EARG, "the kernel is at least 1, not %lld", (long long)v->kernel[d]);
    if (lar_window_pick(o->padding, d) * 2 > v->kernel[d])
      return lar_fail(LAR_EARG, "padding = %lld is more than half of a kernel of %lld",
                      (long long)lar_window_pick(o->padding, d), (long long)v->kernel[d]);
  }
  lar_conv_options with = {.padding = {o->padding[0], o->padding[1]},
                           .dilation = {o->dilation[0], o->dilation[1]},
                           .ceil = o->ceil};
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
  lar_window_attr(&attr, &v->window, v->count_pad);
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

bool lar_pool_by_conv(const lar_attr *pool, const lar_attr *conv, const lar_tensor *x,
                      const lar_tensor *w) {
  lar_pool windows = {0};
  lar_conv v;
  lar_conv_geometry(&v, conv);
  lar_window_read(&windows.window, pool);
  v.c = x->shape[1] / v.groups;
  v.o = w->shape[0] / v.groups;
  return lar_pool_in_pairs(&windows) && lar_conv_pools(&v);
}

/* ---- forward of the hidden ops ---- */

lar_status lar_pooling_init(lar_pooling *p, lar_io *io, bool spread) {
  const lar_tensor *x = io->in[0];
  *p = (lar_pooling){.dtype = x->dtype};
  p->v = (lar_pool){.planes = x->shape[0] * x->shape[1],
                    .count_pad = io->attr->i[LAR_WINDOW_OWN] != 0,
                    .clip = io->attr->i[LAR_WINDOW_CLIP] != 0,
                    .coded = io->attr->i[LAR_WINDOW_POOL] != 0};
  lar_window_read(&p->v.window, io->attr);
  int nin = p->v.coded ? 1 : io->nin; /* codes stay what they are */
  if (nin > 1) p->dtype = lar_dtype_promote(p->dtype, io->in[1]->dtype);
  for (int k = 0; k < nin; k++) LAR_TRY(lar_contiguous(&p->in[k], io->in[k], p->dtype));
  if (p->v.coded) lar_tensor_ref(&p->in[1], io->in[1]);
  const int64_t *size = spread ? p->v.size : p->v.out;
  io->nout = 1;
  return lar_tensor_init(&io->out[0], p->dtype, 4,
                         (int64_t[]){x->shape[0], x->shape[1], size[0], size[1]});
}

void lar_pooling_clear(lar_pooling *p) {
  lar_tensor_clear(&p->in[0]);
  lar_tensor_clear(&p->in[1]);
}
