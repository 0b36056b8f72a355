#include "op/random.h"

#include <string.h>

#include "core/par.h"
#include "core/rng.h"

typedef struct coin {
  uint64_t key, at, limit; /* below limit, of 2^32: kept */
  double value;            /* of what is kept */
  void *out;
  lar_dtype dtype;
  int64_t n;
} coin;

enum { BLOCK = 4 * LAR_PHILOX_LANES };

/* One counter gives four elements: element 4 i + k is word k. */
#define TOSS(name, real)                                                          \
  static void name(const coin *c, const uint64_t *w, real *out) {                 \
    const uint32_t last = (uint32_t)(c->limit - 1);                               \
    const real kept = (real)c->value;                                             \
    for (int k = 0; k < LAR_PHILOX_LANES; k++) {                                  \
      uint64_t first = w[k], second = w[k + LAR_PHILOX_LANES];                    \
      out[4 * k] = (uint32_t)first <= last ? kept : 0;                            \
      out[4 * k + 1] = (uint32_t)(first >> 32) <= last ? kept : 0;                \
      out[4 * k + 2] = (uint32_t)second <= last ? kept : 0;                       \
      out[4 * k + 3] = (uint32_t)(second >> 32) <= last ? kept : 0;               \
    }                                                                             \
  }                                                                               \
  static void name##_blocks(const coin *c, int64_t begin, int64_t end) {          \
    real part[BLOCK] = {0};                                                       \
    uint64_t w[BLOCK / 2];                                                        \
    for (int64_t b = begin; b < end; b++) {                                       \
      int64_t first = b * BLOCK, n = c->n - first < BLOCK ? c->n - first : BLOCK; \
      if (c->limit > 0) {                                                         \
        lar_philox_block(c->key, c->at + (uint64_t)(b * LAR_PHILOX_LANES), w);    \
        name(c, w, part);                                                         \
      }                                                                           \
      memcpy((real *)c->out + first, part, (size_t)n * sizeof(real));             \
    }                                                                             \
  }

TOSS(toss_f32, float)
TOSS(toss_f64, double)

static void toss(void *ctx, int64_t begin, int64_t end) {
  const coin *c = ctx;
  (c->dtype == LAR_F32 ? toss_f32_blocks : toss_f64_blocks)(c, begin, end);
}

static lar_var *fresh(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape) {
  lar_var *v = NULL;
  if (s->status != LAR_OK) return NULL;
  lar_status st = lar_dtype_is_float(dtype)
                    ? lar_var_init(&v, dtype, ndim, shape)
                    : lar_fail(LAR_EDTYPE, "noise cannot be %s", lar_dtype_name(dtype));
  return st == LAR_OK ? lar_scope_own(s, v) : lar_scope_fail(s, st);
}

static coin coin_of(const lar_draw *d, uint64_t at, void *out, lar_dtype dtype, int64_t n) {
  return (coin){d->rng->key, at, (uint64_t)(d->a * 0x1p32 + 0.5), d->b, out, dtype, n};
}

uint64_t lar_draw_pass(const lar_draw *d, int64_t n) {
  uint64_t from = d->rng->at;
  d->rng->at += (uint64_t)((n + 3) / 4);
  return from;
}

void lar_draw_coins(const lar_draw *d, uint64_t from, size_t size, int64_t at, int64_t n,
                    void *out) {
  lar_dtype dtype = size == sizeof(float) ? LAR_F32 : LAR_F64;
  coin c = coin_of(d, from + (uint64_t)(at / 4), out, dtype, n);
  toss(&c, 0, (n + BLOCK - 1) / BLOCK);
}

static void coins(const lar_draw *d, const lar_tensor *t) {
  int64_t n = lar_tensor_numel(t);
  coin c = coin_of(d, lar_draw_pass(d, n), lar_tensor_data(t), t->dtype, n);
  lar_par_for((n + BLOCK - 1) / BLOCK, LAR_DRAW_GRAIN / BLOCK, toss, &c);
}

void lar_draw_run(const lar_draw *d, const lar_tensor *t) {
  if (d->kind == LAR_DRAW_COIN)
    coins(d, t);
  else if (d->kind == LAR_DRAW_NORMAL)
    lar_rng_fill_normal(d->rng, t, d->a, d->b);
  else
    lar_rng_fill_uniform(d->rng, t, d->a, d->b);
}

static lar_var *drawn(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape,
                      lar_draw d) {
  lar_var *v = fresh(s, dtype, ndim, shape);
  if (v == NULL) return NULL;
  lar_draw_run(&d, &v->t);
  lar_op_drew(&d, &v->t);
  return v;
}

lar_var *lar_bernoulli(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape,
                       double keep, double value, const char *stream) {
  return drawn(s, dtype, ndim, shape,
               (lar_draw){LAR_DRAW_COIN, keep, value, lar_rng_stream(stream)});
}

lar_var *lar_normal(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape, double mean,
                    double std, const char *stream) {
  return drawn(s, dtype, ndim, shape,
               (lar_draw){LAR_DRAW_NORMAL, mean, std, lar_rng_stream(stream)});
}

lar_var *lar_uniform(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape, double lo,
                     double hi, const char *stream) {
  return drawn(s, dtype, ndim, shape,
               (lar_draw){LAR_DRAW_UNIFORM, lo, hi, lar_rng_stream(stream)});
}

lar_var *lar_bernoulli_like(lar_scope *s, const lar_var *x, double keep, const char *stream) {
  return x == NULL ? NULL
                   : lar_bernoulli(s, x->t.dtype, x->t.ndim, x->t.shape, keep, 1, stream);
}

lar_var *lar_normal_like(lar_scope *s, const lar_var *x, double mean, double std,
                         const char *stream) {
  return x == NULL ? NULL : lar_normal(s, x->t.dtype, x->t.ndim, x->t.shape, mean, std, stream);
}

lar_var *lar_uniform_like(lar_scope *s, const lar_var *x, double lo, double hi,
                          const char *stream) {
  return x == NULL ? NULL : lar_uniform(s, x->t.dtype, x->t.ndim, x->t.shape, lo, hi, stream);
}
