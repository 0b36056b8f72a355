/* Coordinate descent for squared loss: one quadratic model serves the whole path. */
#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/cd.h"

/* Coefficients and slopes by rows follow the members. */
void lar_cd_follow(lar_cd *w, const lar_problem *g, lar_point *at) {
  double shift = 0;
  for (int64_t k = 0; k < w->q.m; k++) {
    int64_t j = w->q.at[k];
    double d = (w->q.b[k] - at->coef[j]) / lar_design_scale(g->x, j);
    if (d == 0) continue;
    at->coef[j] = w->q.b[k];
    if (w->q.rows) continue; /* u has followed */
    lar_design_axpy(g->x, j, w->flat > 0 ? d * w->flat : d, w->flat > 0 ? NULL : w->h, w->u);
    shift -= d * lar_design_mean(g->x, j);
  }
  double loss = 0;
  for (int64_t i = 0; i < g->x->n; i++) {
    if (w->h[i] == 0) continue;
    w->u[i] += shift * w->h[i];
    loss += w->u[i] * w->u[i] / w->h[i];
  }
  at->loss = loss / 2;
}

/* The same where the model holds all columns. */
static void follow_whole(lar_cd *w, lar_point *at) {
  double fall = 0;
  for (int64_t j = 0; j < w->s.p; j++) {
    fall += (w->q.b[j] - at->coef[j]) * (w->corr[j] + w->q.slope[j]);
    at->coef[j] = w->q.b[j];
    w->corr[j] = w->q.slope[j];
  }
  at->loss = fmax(at->loss + fall / 2, 0);
}

static lar_status begin_whole(lar_cd *w, const lar_problem *g, const lar_point *at) {
  LAR_TRY(lar_quad_whole(&w->q, g->x->gram));
  for (int64_t j = 0; j < w->s.p; j++) {
    w->q.b[j] = at->coef[j];
    w->q.slope[j] = w->corr[j];
    if (w->curve != NULL) w->curve[j] = w->q.curve[j];
  }
  w->whole = w->begun = true;
  return LAR_OK;
}

static lar_status begin(lar_cd *w, const lar_problem *g, lar_point *at) {
  if (at->corr_known) memcpy(w->corr, at->corr, (size_t)w->s.p * sizeof(double));
  if (at->corr_known && g->x->gram != NULL) return begin_whole(w, g, at);
  LAR_TRY(lar_cd_centre(w, g, at));
  w->flat = w->h[0];
  for (int64_t i = 1; i < g->x->n && w->flat > 0; i++)
    if (w->h[i] != w->flat) w->flat = 0;
  lar_cd_measure(w, g);
  if (at->corr_known)
    lar_look_known(&w->seen, w->u, w->corr);
  else
    lar_look_all(&w->seen, w->u, w->corr);
  w->begun = true;
  w->coarse = lar_cd_is_coarse(w, g);
  return w->coarse ? lar_cd_coarse_begin(w, g, at) : LAR_OK;
}

/* Is the optimum a broken line between that strength and the next, and worth following? The end
 * is exact, which of many columns takes longer than the few sweeps of a coarse tolerance. */
static bool follows(const lar_cd *w, const lar_problem *g, const lar_point *at) {
  const lar_scalar *s = &w->s;
  if (g->tol >= LAR_CD_COARSE && !w->whole) return false;
  return s->other == NULL && s->lo == NULL && w->exact > at->lambda && !w->q.rows;
}

lar_status lar_cd_optimise(lar_cd *w, const lar_problem *g, double share, lar_point *at) {
  double gap = w->s.convex && w->s.other == NULL ? share * g->tol * g->null_value : (double)NAN;
  int64_t rounds = 0;
  bool done = false;
  if (follows(w, g, at)) LAR_TRY(lar_quad_follow(&w->q, &w->s, w->exact, &done, &rounds));
  at->iterations += rounds;
  if (done) return LAR_OK;
  int64_t most = g->max_iter - at->iterations;
  double kkt = share * g->tol * g->null_slope;
  if (w->q.rows) {
    lar_metric metric = {w->h, w->weight, w->flat};
    lar_until until = {gap, kkt, w->goal, most};
    LAR_TRY(lar_quad_descend(&w->q, &w->s, &metric, w->u, until, &rounds));
  } else {
    LAR_TRY(lar_quad_solve(&w->q, &w->s, gap, kkt, most, &rounds));
  }
  at->iterations += rounds;
  return LAR_OK;
}

/* By rows a look costs no more than a round: the first comes early, as others may have to come
 * in. */
lar_status lar_cd_squares(lar_cd *w, const lar_problem *g, double previous, lar_point *at) {
  const double fine = 0.9;
  double share = w->q.rows ? 5 : fine;
  int64_t added;
  if (!w->begun) LAR_TRY(begin(w, g, at));
  if (w->coarse) return lar_cd_coarse(w, g, at);
  LAR_TRY(lar_cd_admit(w, g, at, lar_cd_strong(at->lambda, previous), &added));
  for (;;) {
    if (added > 0) LAR_TRY(lar_quad_fill(&w->q, w->q.m - added, w->h, w->weight));
    LAR_TRY(lar_cd_optimise(w, g, share, at));
    w->exact = 0;
    if (w->whole) {
      follow_whole(w, at);
    } else {
      lar_cd_follow(w, g, at);
      lar_cd_look(w);
    }
    bool good = lar_cd_certified(w, g, at);
    if (good && at->kkt * g->null_slope <= 1e-9 * at->lambda) w->exact = at->lambda;
    if (lar_cd_ended(w, g, at, good, share)) return LAR_OK;
    LAR_TRY(lar_cd_admit(w, g, at, at->lambda, &added));
    if (good && added == 0) return LAR_OK;
    if (share > fine)
      share = fine;
    else if (added == 0)
      share *= 0.3;
  }
}
