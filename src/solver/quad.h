/*
 * solver/quad - a quadratic model of the loss on a working set, by its Gram matrix.
 *
 * Floor:    solver.
 * Contract: members 0 .. m - 1 are columns at[k] of the design. The model is
 *             slope'(b' - b) + (b' - b)' H (b' - b) / 2,   H = Zc' diag(h) Zc,
 *           where with `centre` Zc has the means of columns in the metric h taken away, so that
 *           the intercept stays at its best. slope is always that of the present b. Where
 *           columns are short, or members too many for H, the model is kept by rows instead.
 */
#ifndef LAR_SOLVER_QUAD_H
#define LAR_SOLVER_QUAD_H

#include "solver/scalar.h"

/* A factor of H + ridge among some members, the base, that stands for others close to them too:
 * members that came or went since are a few columns more. */
typedef struct lar_factor {
  int64_t n, room;        /* members of the base, 0: there is no factor; room for as many */
  int64_t *base;          /* room: they */
  int64_t cap;            /* members that the next two know */
  int64_t *place, *later; /* cap: 1 + where a member is in the base; and among the columns */
  int64_t columns;
  double *l;             /* room * room */
  double *column, *head; /* room each: l^-1 of the columns; room */
  int64_t *who;          /* members whose columns a solve takes */
  double *small, *y;     /* the matrix of these; their part of the solution */
  double lift, strength; /* more on the diagonal; the strength of the ridge */
} lar_factor;

typedef struct lar_quad {
  const lar_design *x;
  bool centre;
  int64_t m, cap;
  int64_t *at;                      /* cap: columns */
  int32_t *place;                   /* p: member + 1, or 0 */
  double *b, *slope, *mean, *curve; /* cap; curve: the diagonal of H */
  double *gram;                     /* cap * cap, or with `rows` none */
  bool rows;                        /* solved on rows: slopes are not kept */
  lar_factor factor;
  int64_t spaces, *in; /* work space of Newton's steps */
  double *step, *move, *kink;
  double *row; /* n */
  /* The inverse of H + ridge among those listed, in their order: see lar_quad_follow. */
  int64_t inside, side, *list, lists;
  double *inverse, *aim, *drift, *turn, *ridge, *pull;
} lar_quad;

lar_status lar_quad_open(lar_quad *q, const lar_design *x, bool centre);
void lar_quad_close(lar_quad *q);

/* All columns are members, with 0 for coefficients; gram (p * p) is that of the design. */
lar_status lar_quad_whole(lar_quad *q, const double *gram);

/* Column j becomes the next member, with that coefficient and slope. */
lar_status lar_quad_add(lar_quad *q, int64_t j, double b, double slope);

/* By rows from now on, or by the Gram matrix, to be filled. */
lar_status lar_quad_by_rows(lar_quad *q, bool rows);

/* Curvatures and means of members from `from` on, and the Gram matrix of these with all, for
 * metric h (n) with sum `weight`. */
lar_status lar_quad_fill(lar_quad *q, int64_t from, const double *h, double weight);

/* The Gram matrix of all members for the second derivative of a family that is joint, `damp`
 * times; without centre. */
lar_status lar_quad_joint(lar_quad *q, const lar_problem *g, double damp);

/* Members that keep[member] does not mark leave. */
void lar_quad_drop(lar_quad *q, const bool *keep);

/* The metric by rows: h (n), its sum, and what all h are, or 0. */
typedef struct lar_metric {
  const double *h;
  double weight, flat;
} lar_metric;

/* When rounds by rows may end: what is left is below gap (convex) or kkt, or the objective,
 * where u are the slopes of the loss itself, at most goal; after `most` in any case. */
typedef struct lar_until {
  double gap, kkt, goal;
  int64_t most;
} lar_until;

/* Coordinate descent by rows; u (n), the slopes of the model by rows, follows. */
lar_status lar_quad_descend(lar_quad *q, const lar_scalar *s, const lar_metric *metric,
                            double *u, lar_until until, int64_t *rounds);

/* The best coefficient where a penalty is not convex: 0 is left for what brings more than
 * rounding does, as two that are as good would be taken in turns for ever. */
double lar_quad_jump(const lar_scalar *s, int64_t j, double old, double slope, double c);

/* The best coefficient of column j along a slope at `old` and curvature c. */
static inline double lar_quad_best(const lar_scalar *s, int64_t j, double old, double slope,
                                   double c) {
  if (s->other != NULL) return lar_quad_jump(s, j, old, slope, c);
  double a = s->a[j] == 0 ? 0 : s->lambda * s->a[j];
  double b = s->b != NULL ? s->lambda * s->b[j] : 0;
  double u = lar_soft(c * old - slope, a) / (c + b);
  if (s->lo == NULL) return u;
  return u < s->lo[j] ? s->lo[j] : u > s->hi[j] ? s->hi[j] : u;
}

/* One round of coordinate descent over all members, or those with a coefficient; the number
 * that came in, went out or changed their sign. *moved: the most that the model fell by one;
 * *loss changes as that of the model. */
int64_t lar_quad_sweep(lar_quad *q, const lar_scalar *s, bool all, double *moved, double *loss);

/* x (n) = (H + ridge)^-1 x among the n members listed in q->in; false: there is no such thing.
 */
lar_status lar_quad_divide(lar_quad *q, const lar_scalar *s, int64_t n, double *x, bool *done);
void lar_factor_close(lar_factor *f);

/* Newton's step on the coefficients that are not 0, as far along as the objective falls. */
lar_status lar_quad_newton(lar_quad *q, const lar_scalar *s);

/* From the optimum at strength `from` to that at s->lambda, knot by knot; false where a step
 * cannot be trusted: the point is then between. For a_j and b_j: no c or bounds. */
lar_status lar_quad_follow(lar_quad *q, const lar_scalar *s, double from, bool *done,
                           int64_t *knots);
/* From any point to the optimum in the same way, or near it; where columns depend on each
 * other, with a little more on the diagonal. */
lar_status lar_quad_finish(lar_quad *q, const lar_scalar *s, int64_t *knots);
void lar_quad_follow_clear(lar_quad *q);

/* What is left of the gap, to first order; *far: the greatest distance to a subdifferential. */
double lar_quad_left(const lar_quad *q, const lar_scalar *s, double *far);

/* Rounds until the objective is at most `goal`, where the loss starts at `loss`, or what is
 * left of the gap is below `near` (3 `near`, where the goal is out of reach); how many rounds.
 * False: after `most` rounds it is neither. For a_j and b_j. */
bool lar_quad_reach(lar_quad *q, const lar_scalar *s, double loss, double goal, double near,
                    int64_t most, int64_t *rounds);

/* Rounds and steps until what is left is below gap (convex) or kkt; how many rounds. */
lar_status lar_quad_solve(lar_quad *q, const lar_scalar *s, double gap, double kkt,
                          int64_t most, int64_t *rounds);

#endif
