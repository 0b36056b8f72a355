/*
 * optim/whole - what optimisers of whole data share: the objective as a function of one vector.
 *
 * Floor:    optim.
 * Contract: a task says the loss of each part of the data; its smooth penalties included it is
 *           one function of all trainable numbers, laid out flat in float64 whatever the dtype
 *           of the parameters. A rule with `iterate` makes one iteration: it ends with an
 *           evaluation of all parts at the point at which it leaves the parameters, and sets
 *           `norm` to the norm of the generalised gradient where it looked: 0 at a minimum. A
 *           failure (a callback's error) leaves the parameters as they were.
 */
#ifndef LAR_OPTIM_WHOLE_H
#define LAR_OPTIM_WHOLE_H

#include "optim/optim.h"

/* Vectors of a rule, kept and saved with the optimiser; its own are from LAR_OWN on. POINT and
 * SLOPE are the parameters and the gradient there as of the last iteration's end. */
enum { LAR_POINT, LAR_SLOPE, LAR_START, LAR_TRIAL, LAR_TRIAL_SLOPE, LAR_OWN };

typedef struct lar_whole {
  lar_optim *o;
  const lar_task *task;
  const void *self;
  double lr;
  int64_t n;
  double *number;     /* LAR_NUMBERS of the rule's own, kept and saved */
  double value, norm; /* of the last evaluation: loss and smooth penalties */
  double noise;       /* relative rounding in a value */
  bool done, stalled; /* converged; nothing lowers the objective any more */
} lar_whole;

double *lar_whole_row(const lar_whole *h, int k);

/* Is the k-th vector where the parameters are? They are read into START. */
bool lar_whole_is_at(const lar_whole *h, int k);

/* Parameters from x; x becomes what they hold, in their dtype. */
void lar_whole_put(const lar_whole *h, double *x);

/* Value, and with g the gradient, at x (which is put). */
lar_status lar_whole_eval(lar_whole *h, double *x, double *g);

/* POINT, SLOPE and value where the parameters are; nothing is done where they are known. */
lar_status lar_whole_begin(lar_whole *h);

/* LAR_EMATH where the value is not a number; the optimiser remembers it. */
lar_status lar_whole_check(lar_whole *h);

/* g = the gradient of one part's loss at x, times its share of the data times their number. */
lar_status lar_whole_part(lar_whole *h, double *x, int64_t part, double *g);

/* g += factor times the gradient of the smooth penalties at the parameters. */
lar_status lar_whole_smooth(const lar_whole *h, double factor, double *g);

/* x becomes the prox of the others, with that step. */
lar_status lar_whole_prox(const lar_whole *h, double *x, double step);

/* out = the Hessian at POINT times v. */
lar_status lar_whole_curve(lar_whole *h, const double *v, double *out);

/* Along POINT + t d, downhill at `slope` < 0, to a point that satisfies the strong conditions
 * of Wolfe: TRIAL and TRIAL_SLOPE, *t. *t = 0: none lowers the value. */
lar_status lar_whole_search(lar_whole *h, const double *d, double slope, double first,
                            double *t);

/* TRIAL and its gradient become POINT and SLOPE. */
void lar_whole_accept(const lar_whole *h);

/* Refuse penalties that act by prox; or those that are not of the family a|w| + b/2 w^2. */
lar_status lar_whole_takes_smooth(const lar_optim *o, const lar_bound *b);
lar_status lar_whole_takes_kinks(const lar_optim *o, const lar_bound *b);

/* ---- vectors ---- */

static inline double lar_whole_dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* y += a x */
static inline void lar_whole_add(int64_t n, double a, const double *x, double *y) {
  _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

static inline double lar_whole_norm(int64_t n, const double *x) {
  return sqrt(lar_whole_dot(n, x, x));
}

#endif
