/*
 * kern/pool_quad - windows of 2 by 2 in registers: the largest of each, and where it is.
 *
 * A code says it in a byte: 0 to 3 for the place, row by row, and 4 more where the largest is
 * not positive.
 */
#ifndef LAR_KERN_POOL_QUAD_H
#define LAR_KERN_POOL_QUAD_H

#include "kern/conv_vec.h"

enum { LAR_POOL_PLACE = 3, LAR_POOL_CLIPPED = 4 };

/* The four elements of LANES windows. */
typedef struct quad {
  vec p, q, r, s;
} quad;

/* The largest; whether it is q of the upper row, s of the lower one, and in the lower one. */
typedef struct quad_top {
  vec value;
  vec_mask pq, rs, below;
} quad_top;

/* All bits where b takes the place of a as the largest so far: a is a number, and b is not one
 * or larger. */
ALWAYS vec_mask quad_second(vec a, vec b) {
  vec same = a;
  return (vec_mask)(a == same) & ~(vec_mask)(b <= a);
}
ALWAYS vec quad_choose(vec_mask m, vec yes, vec no) {
  return (vec)((m & (vec_mask)yes) | (~m & (vec_mask)no));
}
ALWAYS vec quad_where(vec_mask m, vec v) { return (vec)(m & (vec_mask)v); }

ALWAYS quad_top quad_find(const quad *x) {
  quad_top t = {.pq = quad_second(x->p, x->q), .rs = quad_second(x->r, x->s)};
  vec upper = quad_choose(t.pq, x->q, x->p), lower = quad_choose(t.rs, x->s, x->r);
  t.below = quad_second(upper, lower);
  t.value = quad_choose(t.below, lower, upper);
  return t;
}

/* The code, as a number. */
ALWAYS vec quad_code(const quad_top *t) {
  vec right = quad_where((t->below & t->rs) | (~t->below & t->pq), vec_all(1));
  vec down = quad_where(t->below, vec_all(2));
  return right + down + quad_where(~(vec_mask)(t->value > 0), vec_all(LAR_POOL_CLIPPED));
}

#endif
