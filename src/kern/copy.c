#include "kern/copy.h"

#include <string.h>

#include "core/par.h"
#include "kern/loop.h"

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

enum { TILE = 32 };

typedef struct turn {
  lar_copy_row *row;
  const lar_tensor *dst, *src;
  int64_t rows, cols; /* of the last two dimensions */
} turn;

/* Bands of TILE rows, of all planes. */
static void turn_bands(void *ctx, int64_t begin, int64_t end) {
  const turn *t = ctx;
  int r = t->dst->ndim - 2, c = r + 1;
  int64_t bands = (t->rows + TILE - 1) / TILE;
  size_t ds = lar_dtype_size(t->dst->dtype), ss = lar_dtype_size(t->src->dtype);
  for (int64_t b = begin; b < end; b++) {
    int64_t to = 0, from = 0, plane = b / bands, first = b % bands * TILE;
    for (int d = r - 1; d >= 0; d--) {
      to += plane % t->dst->shape[d] * t->dst->stride[d];
      from += plane % t->dst->shape[d] * t->src->stride[d];
      plane /= t->dst->shape[d];
    }
    int64_t last = first + TILE < t->rows ? first + TILE : t->rows;
    for (int64_t at = 0; at < t->cols; at += TILE) {
      int64_t n = t->cols - at < TILE ? t->cols - at : TILE;
      for (int64_t i = first; i < last; i++)
        t->row(n,
               (char *)lar_tensor_data(t->dst) +
                 (to + i * t->dst->stride[r] + at * t->dst->stride[c]) * (int64_t)ds,
               t->dst->stride[c],
               (const char *)lar_tensor_data(t->src) +
                 (from + i * t->src->stride[r] + at * t->src->stride[c]) * (int64_t)ss,
               t->src->stride[c]);
    }
  }
}

/* Do rows of dst run along columns of src? */
static bool turned(const lar_tensor *dst, const lar_tensor *src) {
  int r = dst->ndim - 2, c = r + 1;
  return r >= 0 && dst->shape[r] >= TILE && dst->shape[c] >= TILE && dst->stride[c] == 1 &&
         src->stride[r] == 1 && src->stride[c] > 1;
}

static void copy_turned(const lar_tensor *dst, const lar_tensor *src, lar_copy_row *row) {
  int r = dst->ndim - 2;
  turn t = {row, dst, src, dst->shape[r], dst->shape[r + 1]};
  int64_t bands = lar_shape_numel(r, dst->shape) * ((t.rows + TILE - 1) / TILE);
  lar_par_for(bands, LAR_LOOP_GRAIN / (TILE * t.cols) + 1, turn_bands, &t);
}

lar_status lar_copy(const lar_tensor *dst, const lar_tensor *src) {
  lar_tensor wide;
  LAR_TRY(lar_tensor_expand(&wide, src, dst->ndim, dst->shape));
  const lar_tensor *t[] = {dst, &wide};
  lar_copy_row *row = pairs[dst->dtype][src->dtype];
  if (turned(dst, &wide)) {
    copy_turned(dst, &wide, row);
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
