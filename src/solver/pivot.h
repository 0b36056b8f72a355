/*
 * solver/pivot - the optimum of a loss of parabolas and lines, piece after piece.
 *
 * Floor:    solver.
 * Contract: for a family with `stretch`, l1 and l2. Among the members of a working set a point
 *           is carried to the optimum at s->lambda along a line that breaks where a coefficient
 *           leaves 0 or comes to it, and where a row goes from a parabola to a line or back:
 *           the optima of problems in between. Nothing there is searched for, so that it takes
 *           as many steps as there are such changes, however few rows bend.
 */
#ifndef LAR_SOLVER_PIVOT_H
#define LAR_SOLVER_PIVOT_H

#include "solver/inverse.h"
#include "solver/quad.h"

typedef struct lar_pivot {
  const lar_problem *g;
  const lar_scalar *s;
  lar_quad *q;
  bool ready;          /* opened */
  bool current;        /* the inverse is that of the pieces, and its errors are small */
  double bend;         /* the second derivative of a parabola, for a weight of 1 */
  double *low, *high;  /* n: where a row is one */
  double *e, *de;      /* n: how eta changes, and the slopes by rows; or room */
  int *piece;          /* n: 0 on the parabola, -1 below, 1 above; 2 for rows without weight */
  int64_t packed, cap; /* members that Z has; room for as many */
  double *Z;           /* n * cap */
  int64_t *column;     /* cap: whose columns these are */
  int64_t *slot;       /* cap: a member's place in the inverse, or -1 */
  double *lean;        /* cap: the sign that a coefficient in the inverse has; 0: it is free */
  double *drift, *pull, *rate; /* cap */
  lar_inverse inverse; /* of H + ridge, among the intercept and the coefficients in it */
  int64_t *who;        /* by slot: a member, INTERCEPT, or nobody */
  int64_t seats;       /* room for as many slots */
  double *aim, *with, *turn, *way; /* by slot */
  const double **columns;          /* by slot, those that are in */
  double *shares;
  int64_t wait, pause; /* strengths to leave out, as it did not pay; as many next time */
  double now, tilt;    /* what is left of the way: 1 to 0; the intercept's pull */
} lar_pivot;

/* Can it take the problem at all? */
bool lar_pivot_fits(const lar_problem *g, const lar_scalar *s);
void lar_pivot_close(lar_pivot *v);

/* From the point, whose slopes by members are q->slope, to the optimum among members at
 * s->lambda: coefficients (of q too), intercept and eta. `from` is the strength that it is the
 * optimum for, or less. False: it gave up, and the point is as it was. */
lar_status lar_pivot_follow(lar_pivot *v, const lar_problem *g, const lar_scalar *s,
                            lar_quad *q, double from, lar_point *at, bool *done);

/* ---- shared by its files ---- */

enum { LAR_PIVOT_INTERCEPT = -1, LAR_PIVOT_NOBODY = -2 };

/* Columns of Z do not start a power of two apart. */
static inline int64_t lar_pivot_apart(const lar_pivot *v) { return v->g->x->n + 8; }
static inline double *lar_pivot_column(const lar_pivot *v, int64_t k) {
  return v->Z + k * lar_pivot_apart(v);
}
static inline double lar_pivot_ridge(const lar_pivot *v, int64_t k) {
  return v->s->b != NULL ? v->s->lambda * v->s->b[v->q->at[k]] : 0;
}
static inline double lar_pivot_limit(const lar_pivot *v, int64_t k) {
  const double a = v->s->a[v->q->at[k]];
  return a == 0 ? 0 : v->s->lambda * a;
}
/* What the equation of slot c gains as `now` falls. */
static inline double lar_pivot_gain(const lar_pivot *v, int64_t c) {
  const int64_t k = v->who[c];
  if (k == LAR_PIVOT_INTERCEPT) return v->tilt;
  return k < 0 ? 0 : v->pull[k] + v->rate[k] * v->lean[k];
}

/* The inverse and the linear term at the point; v->now stays 0 where there is no inverse. */
lar_status lar_pivot_begin(lar_pivot *v, double from, lar_point *at);
/* A slot for member k. */
lar_status lar_pivot_seat(lar_pivot *v, int64_t k, int64_t *at);
/* out (n) = sum over slots of f times their columns. */
void lar_pivot_spread(lar_pivot *v, const double *f, double *out);
/* out = K f, 0 where there is nobody. */
void lar_pivot_apply(const lar_pivot *v, const double *f, double *out);
/* out (n) = what slopes by rows change by where eta does by e. */
void lar_pivot_bend(const lar_pivot *v, const double *e, double *out);

#endif
