/*
 * kern/after - what is done with the elements of a product while they are at hand.
 *
 * Floor:    kern.
 * Contract: element by element, so the same bits for any cut into blocks.
 */
#ifndef LAR_KERN_AFTER_H
#define LAR_KERN_AFTER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lar_after {
  const void *bias;   /* is added to every row; or NULL */
  bool clips;         /* then what is below 0 becomes 0; NaN stays */
  const void *sign;   /* or NULL: elements stay where this is above 0, else become 0; */
  int64_t sign_apart; /*   from a row to the next */
} lar_after;

/* On rows [row, row + m) and columns [column, column + n) of the product, which lie at `at`,
 * rows `apart`. */
typedef void lar_after_block(const lar_after *a, int64_t row, int64_t column, int64_t m,
                             int64_t n, void *at, int64_t apart);
extern lar_after_block lar_after_block_f32, lar_after_block_f64;

#endif
