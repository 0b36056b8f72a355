/*
 * kern/tiles - products of matrices by tiles of registers, where a CPU has many of them.
 *
 * c = a b: b is packed once into panels two registers wide, and stays in the second cache; a is
 * read where it lies, some rows at a time. What is transposed costs nothing but a turn of what
 * is packed or written. An element is the sum of its products in their order, from 0, fused:
 * the same bits for every layout, every number of threads and every part of a product.
 */
#ifndef LAR_KERN_TILES_H
#define LAR_KERN_TILES_H

#include <stdbool.h>

#include "core/par.h"
#include "core/status.h"

/* A matrix by its element (0, 0) and what lies between neighbours in a column and in a row. */
typedef struct lar_grid {
  void *at;
  int64_t down, right;
} lar_grid;

typedef struct lar_product {
  int64_t m, n, k;
  lar_grid a, b, c; /* (m, k) (k, n) (m, n) */
} lar_product;

/* Can these do it, and are they worth while? */
bool lar_tiles_take_f32(const lar_product *p);
bool lar_tiles_take_f64(const lar_product *p);

lar_status lar_tiles_run_f32(const lar_product *p);
lar_status lar_tiles_run_f64(const lar_product *p);

#endif
