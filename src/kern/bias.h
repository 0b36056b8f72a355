/*
 * kern/bias - b added to each of the rows of y, which has n columns.
 */
#ifndef LAR_KERN_BIAS_H
#define LAR_KERN_BIAS_H

#include <stdint.h>

typedef void lar_bias_body(int64_t rows, int64_t n, void *y, const void *b);
extern lar_bias_body lar_bias_add_f32, lar_bias_add_f64;

#endif
