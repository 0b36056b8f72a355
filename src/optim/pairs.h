/*
 * optim/pairs - an inverse Hessian from the last steps and changes of gradient.
 *
 * Floor: optim. Kept in rows [first, first + 2 most) of a rule's vectors: steps, then changes;
 * how many there are and where the next goes in its first two numbers.
 */
#ifndef LAR_OPTIM_PAIRS_H
#define LAR_OPTIM_PAIRS_H

#include "optim/whole.h"

enum { LAR_PAIRS_MOST = 200 };

typedef struct lar_pairs {
  int first, most;
} lar_pairs;

int lar_pairs_count(const lar_whole *h);
void lar_pairs_forget(const lar_whole *h);

/* d = -H g (Nocedal 1980, Math. Comput. 35; Nocedal & Wright 2006, algorithm 7.4), of the
 * numbers with a gradient that is not 0: those held at a kink say nothing of the others. */
void lar_pairs_direction(const lar_whole *h, const lar_pairs *p, const double *g, double *d);

/* Keep TRIAL - POINT and TRIAL_SLOPE - SLOPE, unless they say nothing of curvature; bend (or
 * NULL) is of squares that the gradients leave out. */
void lar_pairs_keep(const lar_whole *h, const lar_pairs *p, const double *bend);

/* Search along a direction from the pairs: *t is the step taken, 0 where none lowers the
 * objective. */
typedef lar_status lar_pairs_search(lar_whole *h, const lar_pairs *p, double *t);

/* The rest of an iteration once h->norm is known: done at tol, else a search, once more without
 * the pairs where it finds nothing, and the pair it gives (bend as above). */
lar_status lar_pairs_iterate(lar_whole *h, const lar_pairs *p, lar_pairs_search *search,
                             double tol, const double *bend);

#endif
