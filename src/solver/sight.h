/*
 * solver/sight - slopes of the loss along blocks of coefficients, of which few need be taken.
 *
 * Floor:    solver.
 * Contract: with slopes by rows u = a v + d, ||Z_q'u - a Z_q'v|| <= ||Z_q|| ||d||. Where all
 *           have been taken for v, and this holds block q at 0, a Z_q'v stands in for its
 *           slopes: it is held whatever they are. Blocks that no optimum takes in, by a ball
 *           that holds the best dual point, are not looked at again at that strength, and
 *           their slopes are told as 0: without them the problem has the same optimum and the
 *           same least (Ndiaye, Fercoq, Gramfort & Salmon 2017, JMLR 18).
 */
#ifndef LAR_SOLVER_SIGHT_H
#define LAR_SOLVER_SIGHT_H

#include "solver/blocks.h"

typedef struct lar_sight {
  const lar_problem *g;
  const lar_blocks *B;
  double *v, *known, *norm; /* n * k; by coefficient: Z'v; by block: ||Z_q||, or more */
  double *some, *part;      /* slopes of the features listed; of a block */
  int64_t *list;
  bool *bound; /* by block: a guess stands in for its slopes */
  char *out;   /* by block: is it out, and held by no guess? */
  char *seen;  /* by feature: is it listed? */
  double lambda;
  double square, share, off; /* ||v||^2 (0: v is not known); of the last look: a and ||d|| */
  bool measured;
} lar_sight;

lar_status lar_sight_open(lar_sight *S, const lar_problem *g, const lar_blocks *B);
void lar_sight_close(lar_sight *S);

/* grad (p * k) = Z'u, all of it. */
void lar_sight_all(lar_sight *S, const double *u, double *grad);

/* The same, where blocks without in[q] may be told as held at the strength of the blocks. */
lar_status lar_sight_around(lar_sight *S, const char *in, const double *u, double *grad);

/* For the u of the last look: no guesses, but where they hold a block at strength lambda. */
void lar_sight_closer(lar_sight *S, double lambda, const double *u, double *grad);

/* The best dual point is within radius of share u. */
void lar_sight_screen(lar_sight *S, const char *in, const double *grad, double share,
                      double radius);

#endif
