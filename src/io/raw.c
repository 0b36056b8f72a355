#include "io/raw.h"

#include <math.h>
#include <string.h>

lar_dtype lar_raw_dtype(lar_raw r) {
  if (r.type == 'f') return r.size == 8 ? LAR_F64 : LAR_F32;
  return r.type == 'b' ? LAR_BOOL : LAR_I64;
}

static uint64_t bits(const uint8_t *p, lar_raw r) {
  uint64_t v = 0;
  for (int k = 0; k < r.size; k++) v |= (uint64_t)p[k] << (8 * (r.big ? r.size - 1 - k : k));
  return v;
}

static double half(uint64_t v) {
  int exp = (int)(v >> 10) & 31;
  double m = (double)(v & 1023), sign = v >> 15 ? -1 : 1;
  if (exp == 31) return m > 0 ? (double)NAN : sign * HUGE_VAL;
  return sign * (exp > 0 ? ldexp(m + 1024, exp - 25) : ldexp(m, -24));
}

static double real(uint64_t v, int size) {
  if (size == 2) return half(v);
  if (size == 4) {
    uint32_t word = (uint32_t)v;
    float f;
    memcpy(&f, &word, sizeof f);
    return (double)f;
  }
  double d;
  memcpy(&d, &v, sizeof d);
  return d;
}

static int64_t integer(uint64_t v, lar_raw r) {
  int spare = 64 - 8 * r.size;
  return r.type == 'i' ? (int64_t)(v << spare) >> spare : (int64_t)v;
}

/* Is it in memory as it is in the file? (The machines we know put the low byte first.) */
static bool is_plain(lar_dtype t, lar_raw r) {
  return !r.big && t == lar_raw_dtype(r) && r.type != 'b' &&
         (size_t)r.size == lar_dtype_size(t);
}

void lar_raw_read(const lar_tensor *t, lar_raw r, const void *from) {
  int64_t n = lar_tensor_numel(t);
  const uint8_t *p = from;
  void *to = lar_tensor_data(t);
  if (is_plain(t->dtype, r)) {
    memcpy(to, from, (size_t)n * (size_t)r.size);
    return;
  }
  for (int64_t k = 0; k < n; k++, p += r.size) {
    uint64_t v = bits(p, r);
    if (r.type == 'f')
      lar_tensor_put(t, k, real(v, r.size));
    else if (t->dtype == LAR_I64)
      ((int64_t *)to)[k] = integer(v, r);
    else
      lar_tensor_put(t, k, r.type == 'u' ? (double)v : (double)integer(v, r));
  }
}
