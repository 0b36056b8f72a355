/*
 * penalty/bound - what a bound regulariser is made of: for bound.c and forward.c only.
 *
 * Floor:    penalty.
 */
#ifndef LAR_PENALTY_BOUND_H
#define LAR_PENALTY_BOUND_H

#include "penalty/called.h"
#include "penalty/compose.h"

/* An addend on one parameter. */
typedef struct piece {
  int addend;
  bool by_grad, holds; /* holds: by infinite weights, coordinates at 0 */
  lar_groups groups;
  lar_tensor weight, l1_weight, towards, fisher;
  lar_called *called; /* of a penalty written as a function */
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
  bool fresh, may_fail, dynamic;
};

/* An addend where it acts, with its strength in force. */
lar_pen_at lar_bound_at(const lar_bound *b, const piece *p);

/* Those of parameter i that act by prox now; how many. */
int lar_bound_proxes(const lar_bound *b, int i, lar_part *part);

/* Do they group alike? */
bool lar_part_alike(const lar_part *a, const lar_part *b);

#endif
