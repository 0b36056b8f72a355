/*
 * solver/cd - what the files of coordinate descent share.
 *
 * Floor:    solver.
 */
#ifndef LAR_SOLVER_CD_H
#define LAR_SOLVER_CD_H

#include "solver/look.h"
#include "solver/pivot.h"
#include "solver/quad.h"
#include "solver/witness.h"

/* From this tolerance on sweeps are few, and a look at all columns costs more. */
#define LAR_CD_COARSE 1e-5

typedef struct lar_cd {
  lar_scalar s;
  lar_quad q;
  lar_look seen;    /* what corr is made of */
  lar_witness past; /* where tolerances are coarse */
  lar_pivot pivot;  /* where the loss is made of parabolas and lines */
  bool coarse;
  double *u, *h, *scratch, *move; /* n: slopes and curvatures of the loss */
  double *metric, mass;           /* n: the curvatures that the Gram matrix is of; their sum */
  int64_t filled;                 /* members that it knows; 0: it is out of date */
  double ahead;                   /* what this strength does not hold at 0 is let in at once */
  double *corr, *curve;           /* p: z_j'u where it was last taken; curve may be NULL */
  double *block;
  double weight, flat; /* sum of h; what all h are, or 0 */
  bool begun, whole;   /* whole: the members are all columns, and rows are not looked at */
  double damp;         /* curvatures are taken so many times: 1, unless steps fail */
  double off;          /* what was left before the last model of a strength */
  double floor; /* a row's least curvature, as a share of the bound: less as steps pass */
  double goal;  /* rounds may end where the objective is as low as that */
  double dual, dual_at; /* the highest value of the dual at that strength */
  double exact; /* the strength at which the members are at their optimum to rounding, or 0 */
} lar_cd;

/* The intercept that is best for these coefficients, by Newton's method; u, h and the loss
 * there. */
lar_status lar_cd_centre(lar_cd *w, const lar_problem *g, lar_point *at);

/* Slopes along all columns, as far as these matter; members' are those of the model. */
void lar_cd_look(lar_cd *w);

/* Column j becomes a member, with that coefficient and slope. */
lar_status lar_cd_take_in(lar_cd *w, const lar_problem *g, int64_t j, double b, double slope);

/* Second derivatives along the columns, where somebody asks for them. */
void lar_cd_measure(lar_cd *w, const lar_problem *g);

/* Columns whose coefficients would leave 0 at that strength become members; how many. */
lar_status lar_cd_admit(lar_cd *w, const lar_problem *g, const lar_point *at, double lambda,
                        int64_t *added);

/* The strength at which to admit, after the optimum at the strength before. */
double lar_cd_strong(double lambda, double previous);

/* The certificate of the point, from the last look; is it good enough? */
bool lar_cd_certified(lar_cd *w, const lar_problem *g, lar_point *at);

/* Is there no more to do, as the point is good or its time is up? */
bool lar_cd_ended(const lar_cd *w, const lar_problem *g, lar_point *at, bool good,
                  double share);

/* Squared loss: lar_solver's solve. */
lar_status lar_cd_squares(lar_cd *w, const lar_problem *g, double previous, lar_point *at);

/* Its parts: coefficients and slopes by rows follow the members; the members' optimum, as near
 * as `share` of the tolerance. */
void lar_cd_follow(lar_cd *w, const lar_problem *g, lar_point *at);
lar_status lar_cd_optimise(lar_cd *w, const lar_problem *g, double share, lar_point *at);

/* The same for coarse tolerances of penalties that have a dual: looks at all columns are few.
 */
bool lar_cd_is_coarse(const lar_cd *w, const lar_problem *g);
lar_status lar_cd_coarse_begin(lar_cd *w, const lar_problem *g, const lar_point *at);
lar_status lar_cd_coarse(lar_cd *w, const lar_problem *g, lar_point *at);

#endif
