/*
 * kern/copy - elements from one tensor to another, changing layout and dtype.
 *
 * Floor: kern. Float to int64 truncates towards zero; anything but 0 is true.
 */
#ifndef LAR_KERN_COPY_H
#define LAR_KERN_COPY_H

#include "core/tensor.h"

/* dst[...] = src[...], src broadcast to dst's shape. They must not overlap partially. */
lar_status lar_copy(const lar_tensor *dst, const lar_tensor *src);

/* dst[...] = v */
void lar_fill(const lar_tensor *dst, double v);

/* A row-major tensor of that dtype with src's values: src itself (another reference) when
 * it is so already. */
lar_status lar_contiguous(lar_tensor *out, const lar_tensor *src, lar_dtype dtype);

/* Always a fresh row-major tensor. */
lar_status lar_clone(lar_tensor *out, const lar_tensor *src, lar_dtype dtype);

/* The loop behind lar_copy for one row: n elements, strides in elements. */
typedef void lar_copy_row(int64_t n, char *d, int64_t ds, const char *s, int64_t ss);
lar_copy_row *lar_copy_rows(lar_dtype to, lar_dtype from);

/* Do any two addresses of a and b meet? (By their extents: may say yes when in doubt.) */
bool lar_overlap(const lar_tensor *a, const lar_tensor *b);

#endif
