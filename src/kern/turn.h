/*
 * kern/turn - matrices turned over: rows into columns.
 *
 * Floor:    kern. dst[c * ldd + r] = src[r * lds + c] for r < rows, c < cols.
 */
#ifndef LAR_KERN_TURN_H
#define LAR_KERN_TURN_H

#include <stdint.h>

typedef void lar_turn(int64_t rows, int64_t cols, void *dst, int64_t ldd, const void *src,
                      int64_t lds);

lar_turn lar_turn_f32, lar_turn_f64;

#endif
