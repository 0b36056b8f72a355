/*
 * penalty/bound - what a bound regulariser is made of: for bound.c and forward.c only.
 *
 * Floor:    penalty.
 */
#ifndef LAR_PENALTY_BOUND_H
#define LAR_PENALTY_BOUND_H

#include "penalty/compose.h"

/* An addend on one parameter. */
typedef struct piece {
  int addend;
  bool by_grad, holds; /* holds: by infinite weights, coordinates at 0 */
  lar_groups groups;
  lar_tensor weight, l1_weight, towards, fisher;
} piece;

/* A parameter; its pieces. */
typedef struct place {
  int n;
  size_t cap;
  piece *at;
  lar_compose_work work;
} place;

struct lar_bound {
  lar_reg *reg;
  const lar_params *params;
  place *places;
  double *l, *set;  /* of each addend: strength in force; what lar_bound_set said, or NaN */
  uint64_t *passes; /* forward passes counted at the last step */
  char (*name)[64];
  bool fresh, may_fail;
};

#endif
