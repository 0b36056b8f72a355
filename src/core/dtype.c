#include "core/dtype.h"

#include <string.h>

static const struct {
  const char *name;
  int rank; /* order of promotion */
} table[LAR_NDTYPE] = {
  [LAR_F32] = {"float32", 2},
  [LAR_F64] = {"float64", 3},
  [LAR_I64] = {"int64", 1},
  [LAR_BOOL] = {"bool", 0},
};

const char *lar_dtype_name(lar_dtype t) { return table[t].name; }

lar_dtype lar_dtype_find(const char *name) {
  for (int i = 0; i < LAR_NDTYPE; i++)
    if (strcmp(table[i].name, name) == 0) return (lar_dtype)i;
  return LAR_NDTYPE;
}

lar_dtype lar_dtype_promote(lar_dtype a, lar_dtype b) {
  return table[a].rank >= table[b].rank ? a : b;
}
