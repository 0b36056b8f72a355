#include "kern/copy.h"

#include <string.h>

#include "core/par.h"
#include "kern/loop.h"
#include "kern/turn.h"

/* One function for each pair of dtypes; the unit-stride loops vectorise. */
#define PAIR(name, to, from, expr)                                                \
  static void name(int64_t n, char *dv, int64_t ds, const char *sv, int64_t ss) { \
    to *d = (to *)(void *)dv;                                                     \
    const from *s = (const from *)(const void *)sv;                               \
    if (ds == 1 && ss == 1)                                                       \
      for (int64_t i = 0; i < n; i++) {                                           \
        from x = s[i];                                                            \
        d[i] = expr;                                                              \
      }                                                                           \
    else if (ds == 1 && ss == 0 && n > 0) {                                       \
      from x = *s;                                                                \
      to all = expr;                                                              \
      for (int64_t i = 0; i < n; i++) d[i] = all;                                 \
    } else                                                                        \
      for (int64_t i = 0; i < n; i++) {                                           \
        from x = s[i * ss];                                                       \
        d[i * ds] = expr;                                                         \
      }                                                                           \
  }

PAIR(f32_f32, float, float, x)
PAIR(f32_f64, float, double, (float)x)
PAIR(f32_i64, float, int64_t, (float)x)
PAIR(f32_bool, float, uint8_t, (float)x)
PAIR(f64_f32, double, float, (double)x)
PAIR(f64_f64, double, double, x)
PAIR(f64_i64, double, int64_t, (double)x)
PAIR(f64_bool, double, uint8_t, (double)x)
PAIR(i64_f32, int64_t, float, (int64_t)x)
PAIR(i64_f64, int64_t, double, (int64_t)x)
PAIR(i64_i64, int64_t, int64_t, x)
PAIR(i64_bool, int64_t, uint8_t, x)
PAIR(bool_f32, uint8_t, float, x != 0)
PAIR(bool_f64, uint8_t, double, x != 0)
PAIR(bool_i64, uint8_t, int64_t, x != 0)
PAIR(bool_bool, uint8_t, uint8_t, x)

static lar_copy_row *const pairs[LAR_NDTYPE][LAR_NDTYPE] = {
  [LAR_F32] = {f32_f32, f32_f64, f32_i64, f32_bool},
  [LAR_F64] = {f64_f32, f64_f64, f64_i64, f64_bool},
  [LAR_I64] = {i64_f32, i64_f64, i64_i64, i64_bool},
  [LAR_BOOL] = {bool_f32, bool_f64, bool_i64, bool_bool},
};

lar_copy_row *lar_copy_rows(lar_dtype to, lar_dtype from) { return pairs[to][from]; }

static void copy_row(void *ctx, int64_t n, char *const *p, const int64_t *stride) {
  (*(lar_copy_row *const *)ctx)(n, p[0], stride[0], p[1], stride[1]);
}

/* ---- neighbours that run along another dimension: by tiles, so that neither side jumps ----
 */

enum { TILE = 128 };

typedef struct turn {
  const lar_loop *l;
  lar_turn *tile;
  int r, c;      /* dimensions: neighbours of src lie along r, those of dst along c */
  int64_t bands; /* of a plane of r and c */
} turn;

/* Rows [first, first + TILE) of a plane, that begins so many elements into each operand. */
static void turn_band(const turn *t, int64_t to, int64_t from, int64_t first) {
  const lar_loop *l = t->l;
  int64_t out = l->stride[0][t->r], in = l->stride[1][t->c];
  int64_t rows = l->shape[t->r] - first < TILE ? l->shape[t->r] - first : TILE;
  for (int64_t at = 0; at < l->shape[t->c]; at += TILE) {
    int64_t cols = l->shape[t->c] - at < TILE ? l->shape[t->c] - at : TILE;
    t->tile(cols, rows, l->base[0] + (to + first * out + at) * (int64_t)l->size[0], out,
            l->base[1] + (from + first + at * in) * (int64_t)l->size[1], in);
  }
}

static void turn_bands(void *ctx, int64_t begin, int64_t end) {
  const turn *t = ctx;
  const lar_loop *l = t->l;
  for (int64_t b = begin; b < end; b++) {
    int64_t to = 0, from = 0, plane = b / t->bands;
    for (int d = l->ndim - 1; d >= 0; d--) {
      if (d == t->r || d == t->c) continue;
      to += plane % l->shape[d] * l->stride[0][d];
      from += plane % l->shape[d] * l->stride[1][d];
      plane /= l->shape[d];
    }
    turn_band(t, to, from, b % t->bands * TILE);
  }
}

/* The dimension along which neighbours of an operand lie, or -1. */
static int unit(const lar_loop *l, int operand) {
  int d = l->ndim - 1;
  while (d >= 0 && l->stride[operand][d] != 1) d--;
  return d;
}

/* Are they different ones, in planes that are worth it? */
static bool turned(const lar_loop *l) {
  enum { LEAST = 64 };
  int r = unit(l, 1), c = unit(l, 0);
  return r >= 0 && c >= 0 && r != c && l->size[1] > 1 && l->shape[r] * l->shape[c] >= LEAST;
}

static void copy_turned(const lar_loop *l) {
  turn t = {.l = l, .r = unit(l, 1), .c = unit(l, 0)};
  t.tile = l->size[0] == sizeof(float) ? lar_turn_f32 : lar_turn_f64;
  t.bands = (l->shape[t.r] + TILE - 1) / TILE;
  int64_t all = lar_shape_numel(l->ndim, l->shape);
  int64_t units = all / (l->shape[t.r] * l->shape[t.c]) * t.bands;
  if (units > 0) lar_par_for(units, LAR_LOOP_GRAIN / (all / units) + 1, turn_bands, &t);
}

/* In two steps, the first of which turns. */
static lar_status convert_turned(const lar_tensor *dst, const lar_tensor *src) {
  lar_tensor straight;
  LAR_TRY(lar_clone(&straight, src, src->dtype));
  lar_status st = lar_copy(dst, &straight);
  lar_tensor_clear(&straight);
  return st;
}

lar_status lar_copy(const lar_tensor *dst, const lar_tensor *src) {
  lar_tensor wide;
  LAR_TRY(lar_tensor_expand(&wide, src, dst->ndim, dst->shape));
  const lar_tensor *t[] = {dst, &wide};
  lar_copy_row *row = pairs[dst->dtype][src->dtype];
  lar_status st = LAR_OK;
  lar_loop l;
  lar_loop_init(&l, 2, t);
  if (!turned(&l))
    lar_loop_run(&l, copy_row, &row);
  else if (dst->dtype == src->dtype)
    copy_turned(&l);
  else
    st = convert_turned(dst, &wide);
  lar_tensor_clear(&wide);
  return st;
}

void lar_fill(const lar_tensor *dst, double v) {
  union {
    float f;
    double d;
    int64_t i;
    uint8_t b;
  } value = {0};
  lar_storage one = {.refs = 1, .bytes = sizeof value, .data = &value};
  lar_tensor scalar = {.storage = &one, .dtype = dst->dtype};
  lar_tensor_put(&scalar, 0, v);
  (void)lar_copy(dst, &scalar); /* a scalar broadcasts to anything */
}

lar_status lar_clone(lar_tensor *out, const lar_tensor *src, lar_dtype dtype) {
  lar_tensor from = *src; /* may be out */
  LAR_TRY(lar_tensor_init(out, dtype, from.ndim, from.shape));
  return lar_copy(out, &from); /* same shape: cannot fail */
}

lar_status lar_contiguous(lar_tensor *out, const lar_tensor *src, lar_dtype dtype) {
  if (src->dtype != dtype || !lar_tensor_is_contiguous(src)) return lar_clone(out, src, dtype);
  lar_tensor_ref(out, src);
  return LAR_OK;
}

static void extent(const lar_tensor *t, int64_t *lo, int64_t *hi) {
  *lo = *hi = t->offset;
  for (int d = 0; d < t->ndim; d++) {
    int64_t span = (t->shape[d] - 1) * t->stride[d];
    if (span < 0)
      *lo += span;
    else
      *hi += span;
  }
}

bool lar_overlap(const lar_tensor *a, const lar_tensor *b) {
  int64_t alo, ahi, blo, bhi;
  if (a->storage != b->storage) return false;
  extent(a, &alo, &ahi);
  extent(b, &blo, &bhi);
  return alo <= bhi && blo <= ahi;
}
