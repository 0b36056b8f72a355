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
    else                                                                          \
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

/* ---- transposed copies: by tiles, so that neither side jumps far ---- */

enum { TILE = 128 };

typedef struct turn {
  lar_copy_row *row;
  lar_turn *whole; /* or NULL: row by row */
  const lar_tensor *dst, *src;
  int r, c; /* dimensions: src runs along r, dst along c */
} turn;

static char *place(const lar_tensor *t, int64_t at) {
  return (char *)lar_tensor_data(t) + at * (int64_t)lar_dtype_size(t->dtype);
}

/* n[0] by n[1] numbers, of dimensions r and c. */
static void turn_tile(const turn *t, int64_t to, int64_t from, const int64_t n[2]) {
  int64_t out = t->dst->stride[t->r], in = t->src->stride[t->c];
  if (t->whole != NULL)
    t->whole(n[1], n[0], place(t->dst, to), out, place(t->src, from), in);
  else
    for (int64_t i = 0; i < n[0]; i++)
      t->row(n[1], place(t->dst, to + i * out), 1, place(t->src, from + i), in);
}

/* Bands of the longer dimension, of all planes: what a band holds lies close together. */
static void turn_bands(void *ctx, int64_t begin, int64_t end) {
  const turn *t = ctx;
  const lar_tensor *dst = t->dst, *src = t->src;
  const int two[2] = {t->r, t->c}, wide = dst->shape[t->r] < dst->shape[t->c];
  const int along = two[wide], across = two[!wide];
  int64_t bands = (dst->shape[along] + TILE - 1) / TILE, n[2];
  for (int64_t b = begin; b < end; b++) {
    int64_t to = 0, from = 0, plane = b / bands, first = b % bands * TILE;
    for (int d = dst->ndim - 3; d >= 0; d--) {
      to += plane % dst->shape[d] * dst->stride[d];
      from += plane % dst->shape[d] * src->stride[d];
      plane /= dst->shape[d];
    }
    to += first * dst->stride[along], from += first * src->stride[along];
    n[wide] = dst->shape[along] - first < TILE ? dst->shape[along] - first : TILE;
    for (int64_t at = 0; at < dst->shape[across]; at += TILE) {
      n[!wide] = dst->shape[across] - at < TILE ? dst->shape[across] - at : TILE;
      turn_tile(t, to + at * dst->stride[across], from + at * src->stride[across], n);
    }
  }
}

/* Do rows of one run along columns of the other? Then those are r and c. */
static bool turned(turn *t) {
  enum { LEAST = 32 };
  const lar_tensor *dst = t->dst, *src = t->src;
  t->r = dst->ndim - 2, t->c = dst->ndim - 1;
  if (t->r < 0 || dst->shape[t->r] < LEAST || dst->shape[t->c] < LEAST) return false;
  if (dst->stride[t->r] == 1) t->r = dst->ndim - 1, t->c = dst->ndim - 2;
  return dst->stride[t->c] == 1 && src->stride[t->r] == 1 && dst->stride[t->r] > 1 &&
         src->stride[t->c] > 1;
}

static void copy_turned(const turn *t) {
  const lar_tensor *dst = t->dst;
  int64_t r = dst->shape[t->r], c = dst->shape[t->c], most = r > c ? r : c;
  int64_t bands = lar_shape_numel(dst->ndim - 2, dst->shape) * ((most + TILE - 1) / TILE);
  lar_par_for(bands, LAR_LOOP_GRAIN / (TILE * (r + c - most)) + 1, turn_bands, (void *)t);
}

lar_status lar_copy(const lar_tensor *dst, const lar_tensor *src) {
  lar_tensor wide;
  LAR_TRY(lar_tensor_expand(&wide, src, dst->ndim, dst->shape));
  const lar_tensor *t[] = {dst, &wide};
  lar_copy_row *row = pairs[dst->dtype][src->dtype];
  turn over = {.row = row, .dst = dst, .src = &wide};
  if (dst->dtype == src->dtype)
    over.whole = dst->dtype == LAR_F64   ? lar_turn_f64
                 : dst->dtype == LAR_F32 ? lar_turn_f32
                                         : NULL;
  if (turned(&over)) {
    copy_turned(&over);
  } else {
    lar_loop l;
    lar_loop_init(&l, 2, t);
    lar_loop_run(&l, copy_row, &row);
  }
  lar_tensor_clear(&wide);
  return LAR_OK;
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
