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

/* The same, some rows at a time: the panels of b are packed first, in so many reals, by all
 * threads; then rows [from, from + rows) come one after the other to `to`. For LAR_TILES_FEW
 * terms at most. */
enum { LAR_TILES_FEW = 256 };
int64_t lar_tiles_room_f32(const lar_product *p);
int64_t lar_tiles_room_f64(const lar_product *p);
void lar_tiles_pack_f32(const lar_product *p, void *packed);
void lar_tiles_pack_f64(const lar_product *p, void *packed);
void lar_tiles_rows_f32(const lar_product *p, const void *packed, int64_t from, int64_t rows,
                        void *to);
void lar_tiles_rows_f64(const lar_product *p, const void *packed, int64_t from, int64_t rows,
                        void *to);

#endif
