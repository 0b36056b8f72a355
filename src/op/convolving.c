#include "op/convolving.h"

#include <string.h>

#include "kern/copy.h"
#include "op/along.h"

/* ---- geometry ---- */

void lar_window_attr(lar_attr *a, const lar_window *w, int64_t own) {
  *a = (lar_attr){.n = LAR_WINDOW_INTS};
  memcpy(a->i, w, sizeof *w);
  a->i[LAR_WINDOW_OWN] = own;
}

void lar_window_read(lar_window *w, const lar_attr *a) { memcpy(w, a->i, sizeof *w); }

void lar_conv_attr(lar_attr *a, const lar_conv *v) {
  lar_window_attr(a, &v->window, v->groups);
}

void lar_conv_geometry(lar_conv *v, const lar_attr *a) {
  *v = (lar_conv){.groups = a->i[LAR_WINDOW_OWN],
                  .clip = a->i[LAR_WINDOW_CLIP] != 0,
                  .pool = a->i[LAR_WINDOW_POOL] != 0};
  lar_window_read(&v->window, a);
}

int64_t lar_window_pick(const double pair[2], int d) {
  return (int64_t)(d == 1 && pair[1] < 0 ? pair[0] : pair[d]);
}

static lar_status check_steps(const lar_conv *v, int d) {
  if (v->stride[d] >= 1 && v->dilation[d] >= 1) return LAR_OK;
  return lar_fail(LAR_EARG, "stride and dilation are at least 1, not %lld and %lld",
                  (long long)v->stride[d], (long long)v->dilation[d]);
}

lar_status lar_conv_measure(lar_conv *v, const lar_conv_options *o) {
  int64_t reach[2], room[2];
  for (int d = 0; d < 2; d++) {
    v->stride[d] = lar_window_pick(o->stride, d);
    v->dilation[d] = lar_window_pick(o->dilation, d);
    LAR_TRY(check_steps(v, d));
    reach[d] = (v->kernel[d] - 1) * v->dilation[d] + 1;
    bool same = o->padding[0] == LAR_PAD_SAME;
    if (same && v->stride[d] != 1)
      return lar_fail(LAR_EARG, "padding = 'same' goes with stride 1, not %lld",
                      (long long)v->stride[d]);
    int64_t pad = o->padding[0] == LAR_PAD_VALID ? 0
                  : same                         ? 0
                                                 : lar_window_pick(o->padding, d);
    v->pad[d] = same ? (reach[d] - 1) / 2 : pad;
    room[d] = v->size[d] + (same ? reach[d] - 1 : 2 * pad);
  }
  for (int d = 0; d < 2; d++) {
    int64_t over = o->ceil != 0 ? v->stride[d] - 1 : 0;
    if (reach[d] > room[d] + over)
      return lar_fail(LAR_ESHAPE, "a kernel that spans %s is larger than the padded input %s",
                      lar_shape_text(2, reach), lar_shape_text(2, room));
    v->out[d] = (room[d] + over - reach[d]) / v->stride[d] + 1;
    if (over > 0 && (v->out[d] - 1) * v->stride[d] >= v->size[d] + v->pad[d]) v->out[d]--;
  }
  return LAR_OK;
}

/* x of a convolution may be larger than what its output shows: by less than a stride, which is
 * what output_padding names. */
lar_status lar_conv_measure_back(lar_conv *v, const lar_conv_options *o) {
  for (int d = 0; d < 2; d++) {
    v->stride[d] = lar_window_pick(o->stride, d);
    v->dilation[d] = lar_window_pick(o->dilation, d);
    LAR_TRY(check_steps(v, d));
    v->pad[d] = lar_window_pick(o->padding, d);
    int64_t extra = lar_window_pick(o->extra, d);
    if (extra >= v->stride[d] && extra >= v->dilation[d])
      return lar_fail(
        LAR_EARG, "output_padding = %lld is to be less than stride = %lld or dilation = %lld",
        (long long)extra, (long long)v->stride[d], (long long)v->dilation[d]);
    v->size[d] = (v->out[d] - 1) * v->stride[d] + (v->kernel[d] - 1) * v->dilation[d] + 1 +
                 extra - 2 * v->pad[d];
  }
  if (v->size[0] < 1 || v->size[1] < 1)
    return lar_fail(LAR_ESHAPE, "padding leaves an output of %s", lar_shape_text(2, v->size));
  return LAR_OK;
}

/* ---- forward of the hidden ops ---- */

/* t itself, row-major, or a converted copy. */
lar_status lar_conv_apply(lar_io *io, const lar_conv *v, const int64_t shape[4],
                          lar_conv_kernel *kernel) {
  lar_tensor a = {0}, b = {0};
  lar_dtype t = lar_float_dtype(lar_dtype_promote(io->in[0]->dtype, io->in[1]->dtype));
  lar_status st = lar_contiguous(&a, io->in[0], t);
  if (st == LAR_OK) st = lar_contiguous(&b, io->in[1], t);
  if (st == LAR_OK) st = lar_tensor_init(&io->out[0], t, 4, shape);
  io->nout = 1;
  if (st == LAR_OK)
    st = kernel(v, t, lar_tensor_data(&io->out[0]), lar_tensor_data(&a), lar_tensor_data(&b));
  lar_tensor_clear(&a);
  lar_tensor_clear(&b);
  return st;
}

/* ---- conv2d and conv_transpose2d ---- */

static lar_status check_images(const lar_tensor *x, const lar_tensor *w, const char *sizes) {
  if (x->ndim != 4 || w->ndim != 4)
    return lar_fail(LAR_ESHAPE,
                    "input %s and weight %s; they are (samples, channels, rows, columns) and "
                    "(%s, rows, columns)",
                    lar_tensor_text(x), lar_tensor_text(w), sizes);
  if (lar_tensor_numel(w) == 0 || x->shape[2] * x->shape[3] == 0)
    return lar_fail(LAR_ESHAPE, "input %s or weight %s has a size of 0", lar_tensor_text(x),
                    lar_tensor_text(w));
  return LAR_OK;
}

static lar_status check_channels(const lar_tensor *x, const lar_tensor *w, const char *what,
                                 int64_t groups, int64_t takes) {
  if (w->shape[0] % groups != 0)
    return lar_fail(LAR_ESHAPE, "weight %s has %lld %s, which %lld groups do not divide",
                    lar_tensor_text(w), (long long)w->shape[0], what, (long long)groups);
  if (x->shape[1] != takes)
    return lar_fail(LAR_ESHAPE,
                    "input %s has %lld channels; weight %s with groups = %lld takes %lld",
                    lar_tensor_text(x), (long long)x->shape[1], lar_tensor_text(w),
                    (long long)groups, (long long)takes);
  return LAR_OK;
}

static lar_status check_bias(const lar_tensor *b, const lar_tensor *w, int64_t outputs) {
  if (b->ndim == 1 && b->shape[0] == outputs) return LAR_OK;
  return lar_fail(LAR_ESHAPE, "bias %s does not fit the %lld outputs of weight %s",
                  lar_tensor_text(b), (long long)outputs, lar_tensor_text(w));
}

lar_var *lar_convolve(lar_scope *s, const lar_conv_options *o, lar_var *x, lar_var *w,
                      lar_var *b) {
  if (x == NULL || w == NULL) return NULL;
  lar_conv v = {.groups = (int64_t)o->groups};
  lar_attr attr;
  lar_status st = check_images(&x->t, &w->t, "outputs, channels / groups");
  if (st == LAR_OK)
    st = check_channels(&x->t, &w->t, "outputs", v.groups, w->t.shape[1] * v.groups);
  if (st == LAR_OK && b != NULL) st = check_bias(&b->t, &w->t, w->t.shape[0]);
  for (int d = 0; st == LAR_OK && d < 2; d++) {
    v.size[d] = x->t.shape[2 + d];
    v.kernel[d] = w->t.shape[2 + d];
  }
  if (st == LAR_OK) st = lar_conv_measure(&v, o);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_conv_attr(&attr, &v);
  return lar_apply(s, LAR_OP(conv), &attr, b == NULL ? 2 : 3, (lar_var *[]){x, w, b});
}

lar_var *lar_convolve_back(lar_scope *s, const lar_conv_options *o, lar_var *x, lar_var *w,
                           lar_var *b) {
  if (x == NULL || w == NULL) return NULL;
  lar_conv v = {.groups = (int64_t)o->groups};
  lar_attr attr;
  lar_status st = check_images(&x->t, &w->t, "channels, outputs / groups");
  if (st == LAR_OK) st = check_channels(&x->t, &w->t, "inputs", v.groups, w->t.shape[0]);
  if (st == LAR_OK && b != NULL) st = check_bias(&b->t, &w->t, w->t.shape[1] * v.groups);
  for (int d = 0; st == LAR_OK && d < 2; d++) {
    v.out[d] = x->t.shape[2 + d];
    v.kernel[d] = w->t.shape[2 + d];
  }
  if (st == LAR_OK) st = lar_conv_measure_back(&v, o);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  lar_conv_attr(&attr, &v);
  lar_var *y = lar_apply(s, LAR_OP(conv_input), &attr, 2, (lar_var *[]){x, w});
  if (b == NULL) return y;
  return lar_add(s, y, lar_reshape(s, b, 3, (int64_t[]){b->t.shape[0], 1, 1}));
}
