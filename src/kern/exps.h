/*
 * kern/exps - exponentials of what is below the largest of a row: for rows of kern/softmax and
 * kern/xent.
 *
 * Floor:    kern. x is rows of n floats, sums are in double.
 * Contract: a NaN in a row is its largest; a value does not depend on its place.
 */
#ifndef LAR_KERN_EXPS_H
#define LAR_KERN_EXPS_H

#include <stdint.h>

/* Of some of the rows, LAR_EXPS_ROWS at most, how many is returned: the largest elements, the
 * sums of exp(x - largest), and these themselves in y (NULL: nowhere). */
enum { LAR_EXPS_ROWS = 64 };
int64_t lar_exps_f32(int64_t rows, int64_t n, const void *x, void *largest, double *sum,
                     void *y);
int64_t lar_exps_f64(int64_t rows, int64_t n, const void *x, void *largest, double *sum,
                     void *y);

#endif
