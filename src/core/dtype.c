#include "core/dtype.h"

#include <stdint.h>
#include <string.h>

static const struct {
  const char *name;
  size_t size;
  int rank; /* order of promotion */
} table[LAR_NDTYPE] = {
  [LAR_F32] = {"float32", sizeof(float), 2},
  [LAR_F64] = {"float64", sizeof(double), 3},
  [LAR_I64] = {"int64", sizeof(int64_t), 1},
  [LAR_BOOL] = {"bool", sizeof(uint8_t), 0},
};

size_t lar_dtype_size(lar_dtype t) { return table[t].size; }

const char *lar_dtype_name(lar_dtype t) { return table[t].name; }

lar_dtype lar_dtype_find(const char *name) {
  for (int i = 0; i < LAR_NDTYPE; i++)
    if (strcmp(table[i].name, name) == 0) return (lar_dtype)i;
  return LAR_NDTYPE;
}

lar_dtype lar_dtype_promote(lar_dtype a, lar_dtype b) {
  return table[a].rank >= table[b].rank ? a : b;
}
