/*
 * solver/look - slopes of the loss along all columns, of which few need to be taken.
 *
 * Floor:    solver.
 * Contract: with u = a v + d, |z_j'u| <= |a z_j'v| + ||z_j|| ||d||. Where all columns have been
 *           looked at for v, and this bound keeps a coefficient at 0, it stands in for the
 *           slope: whatever follows from slopes no larger than that holds. Columns that no
 *           optimum takes in, by a ball that holds the best dual point, are not looked at again
 *           at that strength (Ndiaye, Fercoq, Gramfort & Salmon 2017, JMLR 18).
 */
#ifndef LAR_SOLVER_LOOK_H
#define LAR_SOLVER_LOOK_H

#include "solver/scalar.h"

typedef struct lar_look {
  const lar_design *x;
  double *v, *corr, *norm; /* n: v above; p: z_j'v; p: ||z_j||, or more */
  double *some;            /* p: slopes of those listed */
  int64_t *list;           /* p */
  bool *bound;             /* p: no slope, but a bound of it */
  char *out;               /* p: is it out, and its slope not known? */
  double lambda;           /* where they are out */
  double square;           /* ||v||^2, or 0: v is not known */
  double longest;          /* max ||z_j|| */
  bool measured;
} lar_look;

lar_status lar_look_open(lar_look *l, const lar_design *x);
void lar_look_close(lar_look *l);

/* corr = Z'u, for all columns: taken, or known. */
void lar_look_all(lar_look *l, const double *u, double *corr);
void lar_look_known(lar_look *l, const double *u, const double *corr);

/* The same, but for columns without place[j] a bound where it is within lambda a_j; `known`
 * are the slopes of those with place[j], at place[j] - 1, or NULL. Are there no bounds? */
bool lar_look_around(lar_look *l, const lar_scalar *s, const int32_t *place,
                     const double *known, const double *u, double *corr);

/* Columns without place[j] whose slopes, share corr[j] to within radius times the norm of z_j,
 * are within lambda a_j are out, and 0 is told for their slopes where these are not known to
 * be. */
void lar_look_screen(lar_look *l, const lar_scalar *s, const int32_t *place, const double *corr,
                     double share, double radius);

/* The greatest norm of a column. */
double lar_look_longest(lar_look *l);

/* For the u of the last look, slopes in the place of bounds beyond lambda a_j. */
void lar_look_closer(lar_look *l, const lar_scalar *s, const double *u, double *corr);

#endif
