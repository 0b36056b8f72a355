/*
 * solver/witness - what an earlier look at all columns tells of the strengths to come.
 *
 * Floor:    solver.
 * Contract: u, the slopes of squared loss by rows at some point, is dual feasible at every
 *           strength when it is scaled so that |z_j'u| <= lambda a_j. Along a path it changes
 *           little, and the gap that it leaves grows as the square of that: one look bounds the
 *           optimum at many strengths. Slopes that have not been looked at are guessed from
 *           the last two looks, where u lies almost in their span.
 */
#ifndef LAR_SOLVER_WITNESS_H
#define LAR_SOLVER_WITNESS_H

#include "solver/scalar.h"

typedef struct lar_glance {
  double *u, *corr; /* n, and p: z_j'u, or a bound of it */
  bool exact;       /* no bounds */
} lar_glance;

typedef struct lar_witness {
  int64_t n, p;
  double strength;         /* of the last look; HUGE_VAL: there was none */
  double square, along;    /* sum u_i^2 / w_i and <u, y> of the last look */
  double most;             /* max |z_j'u| / a_j */
  bool bends;              /* is every b_j positive? */
  lar_glance last, before; /* `before` may not be exact for having never been */
  double *block;
} lar_witness;

/* Is there such a dual? Every coefficient must be penalised, none bounded. */
bool lar_witness_fits(const lar_problem *g, const lar_scalar *s);

lar_status lar_witness_open(lar_witness *w, const lar_design *x);
void lar_witness_close(lar_witness *w);

/* The look at s->lambda: u, corr, 2 F there, and along = sum_j b_j z_j'u. */
void lar_witness_keep(lar_witness *w, const lar_scalar *s, const double *u, const double *corr,
                      bool exact, double square, double along);

/* The highest value of the dual at s->lambda among multiples of the last u. */
double lar_witness_dual(const lar_witness *w, const lar_scalar *s);

/* out (p): what z_j'u may be, from the last two looks; false: these do not tell. */
bool lar_witness_guess(const lar_witness *w, const double *u, double *out);

#endif
