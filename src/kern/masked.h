/*
 * kern/masked - the elements that a mask names, in a row and back.
 *
 * Floor:    kern. A mask is n bytes; anything but 0 is true. Elements have 1, 4 or 8 bytes.
 * Contract: parts of the mask are gone through in parallel, their places counted beforehand.
 */
#ifndef LAR_KERN_MASKED_H
#define LAR_KERN_MASKED_H

#include "core/tensor.h"

typedef struct lar_masked {
  const uint8_t *on;
  int64_t n, count; /* of the mask, of what is true */
  int64_t *start;   /* trues before each part; owned */
} lar_masked;

lar_status lar_masked_init(lar_masked *m, const uint8_t *on, int64_t n);
void lar_masked_clear(lar_masked *m);

/* to[0..count) = the elements of from[0..n) where the mask is true */
void lar_masked_take(const lar_masked *m, void *to, const void *from, size_t size);

/* to[0..n) where the mask is true = from[0..count); elsewhere it is left as it is */
void lar_masked_put(const lar_masked *m, void *to, const void *from, size_t size);

#endif
