/* The one place that applies elementwise kernels: broadcasting, strides, dtypes. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"
#include "kern/loop.h"
#include "op/engine.h"

enum { BLOCK = 1024, MAX_IN = LAR_MAP_IN };

typedef lar_map_job run;

/* Rows that a kernel cannot read as they are go through blocks small enough for the cache. */
static void packed(const run *r, int64_t n, char *const *p, const int64_t *stride) {
  _Alignas(64) char buf[MAX_IN + 1][BLOCK * sizeof(double)];
  const void *in[MAX_IN];
  bool direct[MAX_IN], fixed[MAX_IN];
  for (int k = 0; k < r->nin; k++) {
    direct[k] = r->pack[k] == NULL && stride[k + 1] == 1;
    fixed[k] = stride[k + 1] == 0; /* packed once, used for every block */
    in[k] = buf[k];
  }
  bool straight = r->unpack == NULL && stride[0] == 1;
  for (int64_t at = 0; at < n; at += BLOCK) {
    int64_t m = n - at < BLOCK ? n - at : BLOCK;
    for (int k = 0; k < r->nin; k++) {
      const char *src = p[k + 1] + at * stride[k + 1] * (int64_t)r->in_size[k];
      if (direct[k])
        in[k] = src;
      else if (!fixed[k] || at == 0)
        (r->pack[k] != NULL ? r->pack[k] : lar_copy_rows(r->compute, r->compute))(
          m, buf[k], 1, src, stride[k + 1]);
    }
    char *dst = p[0] + at * stride[0] * (int64_t)r->out_size;
    r->kernel(m, straight ? dst : buf[MAX_IN], in, r->f);
    if (!straight)
      (r->unpack != NULL ? r->unpack : lar_copy_rows(r->out, r->out))(m, dst, stride[0],
                                                                      buf[MAX_IN], 1);
  }
}

static void row(void *ctx, int64_t n, char *const *p, const int64_t *stride) {
  const run *r = ctx;
  bool plain = r->unpack == NULL && (stride[0] == 1 || n == 1);
  for (int k = 0; plain && k < r->nin; k++)
    plain = r->pack[k] == NULL && (stride[k + 1] == 1 || n == 1);
  if (plain) {
    const void *in[MAX_IN];
    for (int k = 0; k < r->nin; k++) in[k] = p[k + 1];
    r->kernel(n, p[0], in, r->f);
  } else {
    packed(r, n, p, stride);
  }
}

static int slot(lar_dtype t) { return t == LAR_F32 ? 0 : t == LAR_F64 ? 1 : 2; }

/* Is a setting no whole number, so that integers do not hold the result? */
static bool is_fractional(const lar_op *op, const lar_attr *attr) {
  for (const lar_param *p = op->params; p != NULL && p->name != NULL; p++) {
    double v = lar_param_get(p, attr);
    if (v != floor(v)) return true;
  }
  return false;
}

static bool makes_floats(const lar_op *op, const lar_attr *attr) {
  return op->result == LAR_FLOAT || op->map[2] == NULL || is_fractional(op, attr);
}

/* The dtype to compute in, or an error when the op has no kernel for these. */
static lar_status choose(const lar_op *op, const lar_attr *attr, int nin,
                         const lar_tensor *const *in, lar_dtype *compute) {
  lar_dtype t = in[nin - 1]->dtype;
  for (int k = op->result == LAR_BRANCH ? 1 : 0; k < nin; k++)
    if (in[k]->dtype != t) t = lar_dtype_promote(t, in[k]->dtype);
  if (t == LAR_BOOL) t = op->result == LAR_TRUTH ? LAR_F32 : LAR_I64; /* the shortest will do */
  if (t == LAR_I64 && makes_floats(op, attr)) t = lar_default_dtype;
  *compute = t;
  return op->map[slot(t)] != NULL
           ? LAR_OK
           : lar_fail(LAR_EDTYPE, "not defined for %s", lar_dtype_name(t));
}

/* One row that the kernel takes as it is, too short to share out. */
static bool is_plain(const run *r) {
  const lar_loop *l = &r->loop;
  if (l->ndim != 1 || l->shape[0] > LAR_LOOP_GRAIN || r->unpack != NULL) return false;
  for (int k = 0; k < l->n; k++)
    if ((k > 0 && r->pack[k - 1] != NULL) || (l->stride[k][0] != 1 && l->shape[0] != 1))
      return false;
  return true;
}

static lar_status prepare(run *r, const lar_op *op, const lar_attr *attr, lar_dtype compute,
                          int nin, const lar_tensor *const *in, const lar_tensor *out) {
  lar_dtype made = op->result == LAR_TRUTH ? LAR_BOOL : compute;
  *r = (run){.kernel = op->map[slot(compute)],
             .f = attr->f,
             .nin = nin,
             .compute = compute,
             .out = made,
             .size = lar_dtype_size(compute),
             .out_size = lar_dtype_size(out->dtype)};
  if (out->dtype != made) r->unpack = lar_copy_rows(out->dtype, made);
  lar_tensor wide[MAX_IN];
  const lar_tensor *t[MAX_IN + 1] = {out};
  int n = 0;
  lar_status st = LAR_OK;
  for (; n < nin; n++) {
    LAR_GO(lar_tensor_expand(&wide[n], in[n], out->ndim, out->shape));
    t[n + 1] = &wide[n];
    r->in_size[n] = lar_dtype_size(in[n]->dtype);
    if (in[n]->dtype != compute) r->pack[n] = lar_copy_rows(compute, in[n]->dtype);
  }
  lar_loop_init(&r->loop, nin + 1, t);
  r->plain = is_plain(r);
done:
  while (n > 0) lar_tensor_clear(&wide[--n]);
  return st;
}

static lar_status evaluate(const lar_op *op, const lar_attr *attr, lar_dtype compute, int nin,
                           const lar_tensor *const *in, const lar_tensor *out) {
  run r;
  LAR_TRY(prepare(&r, op, attr, compute, nin, in, out));
  lar_loop_run(&r.loop, row, &r);
  return LAR_OK;
}

lar_status lar_map_prepare(lar_map_job *j, const lar_op *op, const lar_attr *attr, int nin,
                           const lar_tensor *const *in, const lar_tensor *out) {
  lar_dtype compute;
  LAR_TRY(choose(op, attr, nin, in, &compute));
  return prepare(j, op, attr, compute, nin, in, out);
}

void lar_map_run(lar_map_job *j, const lar_tensor *const *t) {
  for (int k = 0; k <= j->nin; k++) j->loop.base[k] = lar_tensor_data(t[k]);
  if (j->plain)
    j->kernel(j->loop.shape[0], j->loop.base[0], (const void *const *)&j->loop.base[1], j->f);
  else
    lar_loop_run(&j->loop, row, j);
}

/* ---- small operations ---- */

enum { FEW = 3 };

/* One element for all, be it spread over a shape. */
static bool is_single(const lar_tensor *x) {
  for (int d = 0; d < x->ndim; d++)
    if (x->stride[d] != 0 && x->shape[d] != 1) return false;
  return true;
}

/* n times the element at p. */
static void repeat(lar_dtype t, int64_t n, void *to, const void *p) {
  if (t == LAR_F32)
    for (int64_t i = 0; i < n; i++) ((float *)to)[i] = *(const float *)p;
  else /* as wide as an int64 */
    for (int64_t i = 0; i < n; i++) ((uint64_t *)to)[i] = *(const uint64_t *)p;
}

/* Of one dtype and shape, row-major, but for single elements: that shape, or NULL. */
static const lar_tensor *plain(int nin, lar_var *const *in, bool *single) {
  const lar_tensor *a = NULL;
  lar_dtype t = in[0]->t.dtype;
  int scalars = 0;
  for (int k = 0; k < nin; k++) {
    const lar_tensor *x = &in[k]->t;
    if (x->dtype != t) return NULL;
    single[k] = x->ndim == 0;
    scalars += single[k];
    if (!single[k] && a == NULL && lar_tensor_is_contiguous(x)) a = x;
  }
  if (scalars == nin) return &in[0]->t;
  for (int k = 0; a != NULL && k < nin; k++) {
    const lar_tensor *x = &in[k]->t;
    if (single[k] || x == a) continue;
    if (!lar_tensor_same_shape(x, a)) return NULL;
    single[k] = !lar_tensor_is_contiguous(x);
    if (single[k] && !is_single(x)) return NULL;
  }
  return a;
}

lar_status lar_map_small(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                         lar_var **out, bool *done) {
  bool single[FEW];
  lar_dtype t = in[0]->t.dtype;
  if (nin > FEW || t == LAR_BOOL || op->map[slot(t)] == NULL ||
      (t == LAR_I64 && makes_floats(op, attr)))
    return LAR_OK;
  const lar_tensor *like = plain(nin, in, single);
  if (like == NULL) return LAR_OK;
  int64_t n = lar_tensor_numel(like), most = LAR_LOOP_GRAIN;
  for (int k = 0; k < nin; k++)
    if (single[k]) most = BLOCK;
  if (n > most) return LAR_OK;
  LAR_TRY(lar_var_like(out, op->result == LAR_TRUTH ? LAR_BOOL : t, like));
  _Alignas(64) char buf[FEW][BLOCK * sizeof(double)];
  const void *from[FEW];
  for (int k = 0; k < nin; k++) {
    from[k] = lar_tensor_data(&in[k]->t);
    if (!single[k] || n == 1) continue;
    repeat(t, n, buf[k], from[k]);
    from[k] = buf[k];
  }
  op->map[slot(t)](n, lar_tensor_data(&(*out)->t), from, attr->f);
  *done = true;
  return LAR_OK;
}

/* The dimension along which the neighbours of all that fill the shape lie, if it is one for all
 * of them, is not the last, and there is enough to go through; or -1. */
static int other_way(const lar_io *io, int ndim, const int64_t *shape) {
  int64_t n = lar_shape_numel(ndim, shape);
  int r = -1;
  if (ndim < 2 || n < LAR_LOOP_GRAIN || shape[ndim - 1] == 1) return -1;
  for (int k = 0; k < io->nin; k++) {
    const lar_tensor *x = io->in[k];
    if (lar_tensor_numel(x) != n || x->ndim != ndim) continue;
    int e = ndim - 1;
    while (e >= 0 && (x->stride[e] != 1 || shape[e] == 1)) e--;
    if (e < 0 || e == ndim - 1 || (r >= 0 && e != r)) return -1;
    r = e;
  }
  return r;
}

static lar_tensor swapped(const lar_tensor *x, int a, int b) {
  lar_tensor y = *x;
  y.shape[a] = x->shape[b], y.shape[b] = x->shape[a];
  y.stride[a] = x->stride[b], y.stride[b] = x->stride[a];
  return y;
}

/* In the order in which the operands lie, and then turned as a whole: rows by large steps would
 * go past the caches. */
static lar_status evaluate_turned(const lar_io *io, lar_dtype compute, int r) {
  const lar_tensor *out = &io->out[0], *in[MAX_IN];
  lar_tensor wide[MAX_IN], turned[MAX_IN], made = {0}, like = swapped(out, r, out->ndim - 1);
  lar_status st = LAR_OK;
  int n = 0;
  for (; n < io->nin; n++) {
    LAR_GO(lar_tensor_expand(&wide[n], io->in[n], out->ndim, out->shape));
    turned[n] = swapped(&wide[n], r, out->ndim - 1);
    in[n] = &turned[n];
  }
  LAR_GO(lar_tensor_init(&made, out->dtype, like.ndim, like.shape));
  LAR_GO(evaluate(io->op, io->attr, compute, n, in, &made));
  like = swapped(&made, r, out->ndim - 1);
  LAR_GO(lar_copy(out, &like));
done:
  while (n > 0) lar_tensor_clear(&wide[--n]);
  lar_tensor_clear(&made);
  return st;
}

/* The kernels that read bools read them as `compute`, like any other dtype. */
lar_status lar_map_forward(lar_io *io) {
  int ndim = 0;
  int64_t shape[LAR_MAX_NDIM];
  lar_dtype compute;
  LAR_TRY(choose(io->op, io->attr, io->nin, io->in, &compute));
  for (int k = 0; k < io->nin; k++) LAR_TRY(lar_shape_broadcast(&ndim, shape, io->in[k]));
  lar_dtype made = io->op->result == LAR_TRUTH ? LAR_BOOL : compute;
  LAR_TRY(lar_tensor_init(&io->out[0], made, ndim, shape));
  io->nout = 1;
  int r = made == LAR_BOOL ? -1 : other_way(io, ndim, shape);
  return r < 0 ? evaluate(io->op, io->attr, compute, io->nin, io->in, &io->out[0])
               : evaluate_turned(io, compute, r);
}

static bool same_view(const lar_tensor *a, const lar_tensor *b) {
  return a->storage == b->storage && a->offset == b->offset && a->dtype == b->dtype &&
         lar_tensor_same_shape(a, b) &&
         memcmp(a->stride, b->stride, (size_t)a->ndim * sizeof *a->stride) == 0;
}

lar_status lar_map_into(const lar_op *op, const lar_attr *attr, int nin,
                        const lar_tensor *const *in, const lar_tensor *dst, bool *done) {
  int ndim = dst->ndim;
  int64_t shape[LAR_MAX_NDIM];
  lar_dtype compute;
  *done = false;
  memcpy(shape, dst->shape, sizeof shape);
  for (int k = 0; k < nin; k++) {
    LAR_TRY(lar_shape_broadcast(&ndim, shape, in[k]));
    if (lar_overlap(dst, in[k]) && !same_view(dst, in[k])) return LAR_OK;
  }
  if (ndim != dst->ndim || memcmp(shape, dst->shape, (size_t)ndim * sizeof *shape) != 0)
    return lar_fail(LAR_ESHAPE, "the result has shape %s and does not fit into %s",
                    lar_shape_text(ndim, shape), lar_tensor_text(dst));
  LAR_TRY(choose(op, attr, nin, in, &compute));
  if (op->result != LAR_TRUTH && !lar_dtype_is_float(dst->dtype) && lar_dtype_is_float(compute))
    return lar_fail(LAR_EDTYPE, "a %s result does not fit into a tensor of %s",
                    lar_dtype_name(compute), lar_dtype_name(dst->dtype));
  *done = true;
  return evaluate(op, attr, compute, nin, in, dst);
}
