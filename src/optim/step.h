/*
 * optim/step - what a step keeps of each parameter: for optim.c and step.c only.
 *
 * A step is one pass over the parameters: while a stretch of one is in the cache it gets the
 * gradient (clipped, with the smooth penalties), the rule's update, the proximal step and the
 * average. Stretches depend on shapes and penalties only, so the bits do not depend on the
 * number of threads. What cannot be cut (a gradient by a callback, a prox of the whole tensor)
 * comes before or after.
 */
#ifndef LAR_OPTIM_STEP_H
#define LAR_OPTIM_STEP_H

#include "optim/optim.h"
#include "penalty/compose.h"

/* Stretches hold some BLOCK numbers, MOST at most; a chunk of work for a thread some GRAIN. */
enum { LAR_STEP_BLOCK = 2048, LAR_STEP_MOST = 8192, LAR_STEP_GRAIN = 16384 };

typedef struct lar_factors {
  lar_tensor a, b; /* no storage: there are none */
  char *packed;    /* b, in the step at hand */
} lar_factors;

typedef struct lar_way {
  const lar_tensor
    *g; /* the gradient: where it lies, or the optimiser's copy of it; or NULL: */
  const lar_factors *factors; /* it is made in the pass */
  lar_tensor w;    /* contiguous: the parameter itself, or a copy to be copied back */
  double lr, step; /* of the update; of the prox */
  bool moves;
  bool settled;  /* g has been clipped and holds the penalties' already */
  bool streams;  /* smooth penalties are added in the pass; */
  double decay;  /*   all of them are so many times the parameter; or 0 */
  bool prox;     /* something acts by prox: */
  bool fuses;    /*   in the pass, wholly or in part */
  bool after;    /* something is left for afterwards */
  bool uniform;  /*   it knows no metric: one step for the whole tensor */
  bool metric;   /*   it asks for the rule's metric */
  bool averages; /* the average moves in the pass */
  int64_t block;
  lar_fused fused;
} lar_way;

/* Coordinates [begin, end) of parameter i; the squares of its gradient. */
typedef struct lar_chunk {
  int i;
  int64_t begin, end;
  double squares;
} lar_chunk;

/* Make t a contiguous tensor like w; one that is there already stays. */
lar_status lar_optim_like(lar_tensor *t, const lar_tensor *w);

/* The sum of squares of a contiguous tensor. */
double lar_optim_squares(const lar_tensor *t);

/* The gradient that a step from here would take, or NULL. */
const lar_tensor *lar_optim_gradient(const lar_optim *o, int i);

/* Gradients, where they are: those that cannot be finished in the pass are finished here. The
 * norm is only needed beforehand to clip by it; else the pass adds it up. */
lar_status lar_optim_gradients(lar_optim *o);

/* What a gradient is multiplied by, and then cut off at. */
double lar_optim_shrink(const lar_optim *o);
double lar_optim_limit(const lar_optim *o);

/* The product of parameter i's factors in the optimiser's copy: no longer made in the pass. */
lar_status lar_optim_make_whole(lar_optim *o, int i);

/* Make the second factors ready for those that still are. */
lar_status lar_optim_pack(lar_optim *o);

/* Divide what has been collected by its weight. */
void lar_optim_collected(lar_optim *o);

/* The rule's parameters in force for parameter i. */
const void *lar_optim_self(const lar_optim *o, int i);

#endif
