/*
 * core/dtype - the four kinds of number a tensor can hold.
 *
 * float32 and float64 carry arithmetic, int64 labels and indices, bool masks.
 */
#ifndef LAR_CORE_DTYPE_H
#define LAR_CORE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum lar_dtype { LAR_F32, LAR_F64, LAR_I64, LAR_BOOL, LAR_NDTYPE } lar_dtype;

/* Of an element, in bytes. */
static inline size_t lar_dtype_size(lar_dtype t) {
  return t == LAR_F32 ? sizeof(float) : t == LAR_BOOL ? sizeof(uint8_t) : sizeof(int64_t);
}

const char *lar_dtype_name(lar_dtype t);

/* The dtype of that name, or LAR_NDTYPE. */
lar_dtype lar_dtype_find(const char *name);

/* The dtype in which a and b meet: the wider float; a float before an integer before bool. */
lar_dtype lar_dtype_promote(lar_dtype a, lar_dtype b);

static inline bool lar_dtype_is_float(lar_dtype t) { return t == LAR_F32 || t == LAR_F64; }

#endif
