/* Squared loss at coarse tolerances. Rounds are few, and what takes time is looking at columns
 * and the Gram matrix of those that come in: a look is due only where the duals of earlier ones
 * do not vouch for the point, and a column comes in only where the point is not good without
 * it. */
#include <math.h>

#include "solver/cd.h"
#include "solver/centre.h"
#include "solver/dual.h"

bool lar_cd_is_coarse(const lar_cd *w, const lar_problem *g) {
  return g->tol >= LAR_CD_COARSE && !w->whole && lar_witness_fits(g, &w->s);
}

lar_status lar_cd_coarse_begin(lar_cd *w, const lar_problem *g, const lar_point *at) {
  double along = 0;
  LAR_TRY(lar_witness_open(&w->past, g->x));
  for (int64_t j = 0; j < w->s.p; j++) along += at->coef[j] * w->corr[j];
  lar_witness_keep(&w->past, &w->s, w->u, w->corr, true, 2 * at->loss, along);
  return LAR_OK;
}

/* What columns that are not looked at can be off by: the slopes of the optimum are within their
 * strengths, and not farther from the point's than its gap allows. */
static double unseen(lar_cd *w, const lar_problem *g, double gap) {
  return lar_look_longest(&w->seen) * lar_dual_radius(g, gap);
}

static void take_slopes(lar_cd *w, const lar_problem *g, int64_t from) {
  int64_t m = w->q.m - from;
  if (m == 0) return;
  lar_design_tmul(g->x, w->u, lar_total(w->u, g->x->n), w->q.at + from, m, w->q.slope + from);
}

/* Is the point good enough by what the last look says of this strength? */
static bool vouched(lar_cd *w, const lar_problem *g, lar_point *at) {
  double penalty = 0, far = 0;
  at->df = 0;
  for (int64_t k = 0; k < w->q.m; k++) {
    at->df += w->q.b[k] != 0;
    if (w->q.b[k] != 0) penalty += lar_scalar_value(&w->s, w->q.at[k], w->q.b[k]);
  }
  at->value = at->loss + penalty;
  double gap = fmax(at->value - w->dual, 0);
  at->gap = gap / (g->null_value > 0 ? g->null_value : 1);
  if (at->gap > g->tol) return false;
  if (w->q.rows) take_slopes(w, g, 0);
  for (int64_t k = 0; k < w->q.m; k++)
    far = fmax(far, lar_scalar_distance(&w->s, w->q.at[k], w->q.b[k], w->q.slope[k]));
  at->kkt = fmax(far, unseen(w, g, gap)) / (g->null_slope > 0 ? g->null_slope : 1);
  return true;
}

static lar_status reach(lar_cd *w, const lar_problem *g, double share, lar_point *at) {
  enum { ROUNDS = 10 };
  double near = share * g->tol * g->null_value;
  int64_t rounds;
  w->goal = w->dual + g->tol * g->null_value;
  if (w->q.rows) return lar_cd_optimise(w, g, share, at);
  bool done = lar_quad_reach(&w->q, &w->s, at->loss, w->goal, near, ROUNDS, &rounds);
  at->iterations += rounds;
  return done ? LAR_OK : lar_cd_optimise(w, g, share, at);
}

/* Columns whose slopes are guessed to be too steep come in. */
static lar_status admit_guessed(lar_cd *w, const lar_problem *g, int64_t *added) {
  int64_t from = w->q.m;
  *added = 0;
  if (!lar_witness_guess(&w->past, w->u, w->corr)) return LAR_OK;
  for (int64_t j = 0; j < w->s.p; j++)
    if (w->q.place[j] == 0 && !lar_scalar_rests(&w->s, j, w->corr[j]) &&
        lar_design_scale(g->x, j) > 0)
      LAR_TRY(lar_cd_take_in(w, g, j, 0, 0));
  *added = w->q.m - from;
  take_slopes(w, g, from);
  return LAR_OK;
}

static bool look(lar_cd *w, const lar_problem *g, double ahead, lar_point *at) {
  lar_scalar s = w->s;
  double along = 0;
  s.lambda *= ahead;
  bool exact =
    lar_look_around(&w->seen, &s, w->q.place, w->q.rows ? NULL : w->q.slope, w->u, w->corr);
  for (int64_t k = 0; k < w->q.m; k++) {
    w->q.slope[k] = w->corr[w->q.at[k]];
    along += w->q.b[k] * w->q.slope[k];
  }
  lar_witness_keep(&w->past, &w->s, w->u, w->corr, exact, 2 * at->loss, along);
  return lar_cd_certified(w, g, at);
}

/* By rows what is left of the gap is known less well, and a round costs as much as a look. */
lar_status lar_cd_coarse(lar_cd *w, const lar_problem *g, lar_point *at) {
  const double fine = 0.3, ahead = w->q.rows ? 0.9 : 0.8;
  double share = w->q.rows ? 10 : fine;
  bool guessed = false;
  int64_t added = 0;
  w->dual = lar_witness_dual(&w->past, &w->s), w->dual_at = at->lambda;
  for (;;) {
    if (added > 0) LAR_TRY(lar_quad_fill(&w->q, w->q.m - added, w->h, w->weight));
    LAR_TRY(reach(w, g, share, at));
    lar_cd_follow(w, g, at);
    if (vouched(w, g, at)) return LAR_OK;
    if (!guessed) {
      guessed = true;
      LAR_TRY(admit_guessed(w, g, &added));
      if (added > 0) continue;
    }
    bool good = look(w, g, ahead, at);
    if (lar_cd_ended(w, g, at, good, share)) return LAR_OK;
    LAR_TRY(lar_cd_admit(w, g, at, ahead * at->lambda, &added));
    if (added == 0) share = share > fine ? fine : share * 0.3;
  }
}
