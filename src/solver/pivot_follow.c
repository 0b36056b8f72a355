/* What changes on the way: coefficients come in and leave, rows cross the edges of their
 * parabolas. Where a change would leave the matrix singular, as few rows bend, the optimum is
 * not one point but a stretch of a line: the point goes along it to its end, where something
 * else changes first. */
#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "solver/centre.h"
#include "solver/columns.h"
#include "solver/pivot.h"

typedef enum change_kind { END, ENTERS, LEAVES, CROSSES } change_kind;

typedef struct change {
  double t;
  change_kind what;
  int64_t at; /* a member; of CROSSES a row */
  int to;     /* the sign of what enters; the piece of a row */
} change;

static const double SINGULAR = 1e-10;

static double dot(int64_t n, const double *a, const double *b) {
  return lar_columns_f64.dot(n, NULL, a, b);
}

/* How eta, and the slopes of those that are not in, change along the aim. */
static void look_ahead(lar_pivot *v) {
  lar_pivot_spread(v, v->aim, v->e);
  lar_pivot_bend(v, v->e, v->de);
  for (int64_t k = 0; k < v->q->m; k++) {
    const int64_t c = v->slot[k];
    v->drift[k] = c >= 0 ? lar_pivot_gain(v, c) - lar_pivot_ridge(v, k) * v->aim[c]
                         : dot(v->g->x->n, lar_pivot_column(v, k), v->de);
  }
}

static void take_aim(lar_pivot *v) {
  for (int64_t c = 0; c < v->inverse.n; c++) v->with[c] = lar_pivot_gain(v, c);
  lar_pivot_apply(v, v->with, v->aim);
}

/* ---- what comes first ---- */

/* Coefficients along `way` that come to 0 before t. */
static void first_to_leave(const lar_pivot *v, const double *way, change *best) {
  for (int64_t c = 0; c < v->inverse.n; c++) {
    const int64_t k = v->who[c];
    if (k < 0 || v->lean[k] == 0 || !(way[c] * v->lean[k] < 0)) continue;
    const double t = fmax(-v->q->b[k] / way[c], 0);
    if (t < best->t) *best = (change){t, LEAVES, k, 0};
  }
}

/* Rows that come to an edge before t, but for one. */
static void first_to_cross(const lar_pivot *v, const double *eta, const double *e,
                           bool inner_too, int64_t but, change *best) {
  for (int64_t i = 0; i < v->g->x->n; i++) {
    const int now = v->piece[i];
    if (now == 2 || e[i] == 0 || i == but || (now == 0 && !inner_too)) continue;
    if (now * e[i] > 0) continue;
    const bool up = e[i] > 0;
    const double edge = now == 0  ? (up ? v->high[i] : v->low[i])
                        : now < 0 ? v->low[i]
                                  : v->high[i];
    const double t = fmax((edge - eta[i]) / e[i], 0);
    if (t < best->t) *best = (change){t, CROSSES, i, now != 0 ? 0 : up ? 1 : -1};
  }
}

static void first_to_enter(const lar_pivot *v, int64_t gone, change *best) {
  for (int64_t k = 0; k < v->q->m; k++) {
    if (v->slot[k] >= 0 || v->s->a[v->q->at[k]] == HUGE_VAL) continue;
    const double top = lar_pivot_limit(v, k) + v->now * v->rate[k], rate = v->rate[k];
    const double slope = v->q->slope[k] + v->now * v->pull[k], d = v->drift[k] - v->pull[k];
    const double up = rate + d > 0 ? (top - slope) / (rate + d) : HUGE_VAL;
    const double down = rate - d > 0 ? (top + slope) / (rate - d) : HUGE_VAL;
    const double t = fmax(fmin(up, down), 0);
    if (t >= best->t || (k == gone && t <= 1e-9 * v->now)) continue;
    *best = (change){t, ENTERS, k, up < down ? -1 : 1};
  }
}

static change first(const lar_pivot *v, const lar_point *at, int64_t gone) {
  change best = {v->now, END, -1, 0};
  first_to_leave(v, v->aim, &best);
  first_to_enter(v, gone, &best);
  first_to_cross(v, at->eta, v->e, true, -1, &best);
  return best;
}

/* ---- going ---- */

static void move(lar_pivot *v, double t, const double *way, const double *e, lar_point *at) {
  for (int64_t c = 0; c < v->inverse.n; c++) {
    if (v->who[c] == LAR_PIVOT_INTERCEPT) at->intercept[0] += t * way[c];
    if (v->who[c] >= 0) v->q->b[v->who[c]] += t * way[c];
  }
  for (int64_t i = 0; i < v->g->x->n; i++) at->eta[i] += t * e[i];
}

static void go(lar_pivot *v, double t, lar_point *at) {
  move(v, t, v->aim, v->e, at);
  for (int64_t k = 0; k < v->q->m; k++) v->q->slope[k] += t * v->drift[k];
  v->now -= t;
}

/* ---- changes ---- */

/* K += f u u', and the aim follows: `along` is u'(pull + rate lean). */
static void turn(lar_pivot *v, double f, const double *u, double along) {
  for (int64_t c = 0; c < v->inverse.n; c++) v->aim[c] += f * along * u[c];
  lar_inverse_add(&v->inverse, f, u);
}

static bool leave(lar_pivot *v, int64_t k) {
  const int64_t c = v->slot[k];
  lar_inverse_column(&v->inverse, c, v->turn);
  for (int64_t l = 0; l < v->inverse.n; l++)
    if (v->who[l] == LAR_PIVOT_NOBODY) v->turn[l] = 0;
  const double own = v->turn[c];
  if (!(own > 0)) return false;
  turn(v, -1 / own, v->turn, v->aim[c]);
  v->aim[c] = 0;
  v->who[c] = LAR_PIVOT_NOBODY;
  v->slot[k] = -1;
  v->q->b[k] = 0;
  return true;
}

/* Row i goes to that piece; false: it cannot yet, as nothing (`least`) would hold v->way. */
static bool cross(lar_pivot *v, int64_t i, int to, double least) {
  const double w = v->bend * v->g->rows.w[i], f = to == 0 ? w : -w;
  double along = 0;
  for (int64_t c = 0; c < v->inverse.n; c++) {
    const int64_t k = v->who[c];
    v->with[c] = k == LAR_PIVOT_INTERCEPT ? 1 : k < 0 ? 0 : lar_pivot_column(v, k)[i];
    along += v->with[c] * v->aim[c];
  }
  lar_pivot_apply(v, v->with, v->way);
  const double rest = 1 + f * dot(v->inverse.n, v->with, v->way);
  if (!(rest > least)) return false;
  turn(v, -f / rest, v->way, along);
  v->piece[i] = to;
  return true;
}

/* Member k comes in with that sign; *level: it cannot yet. */
static lar_status enter(lar_pivot *v, int64_t k, int sign, double least, bool *level,
                        bool *done) {
  const int64_t n = v->g->x->n;
  const double *z = lar_pivot_column(v, k), *w = v->g->rows.w;
  double size = lar_pivot_ridge(v, k);
  lar_pivot_bend(v, z, v->de);
  for (int64_t i = 0; i < n; i++) size += v->bend * w[i] * z[i] * z[i];
  for (int64_t c = 0; c < v->inverse.n; c++) {
    const int64_t l = v->who[c];
    v->with[c] = 0;
    if (l >= 0) v->with[c] = dot(n, lar_pivot_column(v, l), v->de);
    for (int64_t i = 0; l == LAR_PIVOT_INTERCEPT && i < n; i++) v->with[c] += v->de[i];
  }
  lar_pivot_apply(v, v->with, v->way);
  const double rest =
    dot(n, z, v->de) + lar_pivot_ridge(v, k) - dot(v->inverse.n, v->with, v->way);
  *level = !(rest > least * size);
  if (*level) return LAR_OK;
  const double far = v->pull[k] + v->rate[k] * sign - dot(v->inverse.n, v->with, v->aim);
  int64_t at;
  LAR_TRY(lar_pivot_seat(v, k, &at));
  v->way[at] = -1;
  v->aim[at] = 0;
  v->lean[k] = sign;
  turn(v, 1 / rest, v->way, -far);
  if (v->q->b[k] == 0 && v->aim[at] * sign <= 0) *done = false;
  return LAR_OK;
}

/* ---- level stretches ---- */

/* Along v->way, which the change that has to wait has left there, to where something else
 * changes: `next`. */
static void slide(lar_pivot *v, const change *c, lar_point *at, change *next) {
  const int64_t n = v->g->x->n;
  const bool enters = c->what == ENTERS;
  for (int64_t l = 0; l < v->inverse.n; l++) v->way[l] *= enters ? -c->to : c->to;
  lar_pivot_spread(v, v->way, v->e);
  const double *z = enters ? lar_pivot_column(v, c->at) : NULL;
  for (int64_t i = 0; enters && i < n; i++) v->e[i] += c->to * z[i];
  *next = (change){HUGE_VAL, END, -1, 0};
  first_to_leave(v, v->way, next);
  first_to_cross(v, at->eta, v->e, false, enters ? -1 : c->at, next);
  if (next->what == END) return;
  move(v, next->t, v->way, v->e, at);
  if (enters) v->q->b[c->at] += next->t * c->to;
}

static void stand_on_edge(const lar_pivot *v, const change *c, lar_point *at) {
  const int side = c->to != 0 ? c->to : v->piece[c->at];
  at->eta[c->at] = side < 0 ? v->low[c->at] : v->high[c->at];
}

/* A matrix that is all but singular, with no end to what is level: it was not so after all. */
static lar_status make(lar_pivot *v, const change *c, lar_point *at, bool *done) {
  double least = SINGULAR;
  bool level = false;
  if (c->what == CROSSES) stand_on_edge(v, c, at);
  for (int64_t turns = 0; *done; turns++) {
    change next;
    if (c->what == LEAVES) *done = leave(v, c->at);
    if (c->what == CROSSES) level = !cross(v, c->at, c->to, least);
    if (c->what == ENTERS) LAR_TRY(enter(v, c->at, c->to, least, &level, done));
    if (!level) break;
    *done = least > 0 && turns <= v->inverse.n;
    slide(v, c, at, &next);
    if (next.what == END) least = 0;
    if (next.what == LEAVES) *done = *done && leave(v, next.at);
    if (next.what == CROSSES) {
      stand_on_edge(v, &next, at);
      cross(v, next.at, next.to, 0);
    }
  }
  return LAR_OK;
}

/* ---- the line ---- */

/* How many changes there are on the straight way, as if none turned it. */
static double changes_ahead(const lar_pivot *v, const lar_point *at) {
  double count = 0;
  for (int64_t i = 0; i < v->g->x->n; i++) {
    const double to = at->eta[i] + v->e[i], low = v->low[i], high = v->high[i];
    const int then = v->piece[i] == 2 ? 2 : to < low ? -1 : to > high ? 1 : 0;
    count += then != v->piece[i];
  }
  for (int64_t k = 0; k < v->q->m; k++) {
    const int64_t c = v->slot[k];
    if (c >= 0)
      count += (v->q->b[k] + v->aim[c]) * v->lean[k] < 0;
    else
      count += fabs(v->q->slope[k] + v->drift[k]) > lar_pivot_limit(v, k);
  }
  return count;
}

/* How many changes are worth it. One goes through Z and the inverse once or twice; Newton's
 * method makes and factors a matrix, at more operations a second, but the more often the fewer
 * rows are left to bend for each coefficient. Where a change costs next to nothing, changes pay
 * in any case. */
static double affordable(const lar_pivot *v, double changes) {
  const double few = 1e7, least = 1e-2, n = (double)v->g->x->n, all = (double)v->q->m;
  double rows = 1;
  for (int64_t i = 0; i < v->g->x->n; i++) rows += v->piece[i] == 0;
  const double m = fmin((double)v->inverse.n + changes / 2, fmin(n, all + 1));
  const double newton = m * m * (n / 2 + m / 3), left = fmax(1 - m / rows, least);
  return (newton / (left * left) + few) / (m * m + n * (all + 8));
}

/* From the point to the optimum, or until something does not add up. */
static lar_status walk(lar_pivot *v, double most, lar_point *at, bool *done) {
  enum { STILL = 256 };
  int64_t gone = -1, still = 0;
  while (v->now > 0 && *done) {
    const change c = first(v, at, gone);
    go(v, c.t, at);
    at->iterations++;
    gone = c.what == LEAVES ? c.at : -1;
    if (c.what == END) break;
    LAR_TRY(make(v, &c, at, done));
    look_ahead(v);
    still = c.t <= 1e-13 ? still + 1 : 0;
    if (--most < 0 || still > STILL || at->iterations >= v->g->max_iter ||
        lar_interrupt_pending())
      *done = false;
  }
  return LAR_OK;
}

static void slopes_at(lar_pivot *v, const lar_point *at) {
  v->g->family->slopes(v->g->self, &v->g->rows, at->eta, v->de, NULL);
  for (int64_t k = 0; k < v->q->m; k++)
    v->q->slope[k] = dot(v->g->x->n, lar_pivot_column(v, k), v->de);
}

/* Does the point hold, by slopes that are not carried along but made anew? */
static bool holds(lar_pivot *v, const lar_point *at) {
  double far = 0;
  slopes_at(v, at);
  for (int64_t k = 0; k < v->q->m; k++)
    if (v->slot[k] >= 0)
      far = fmax(far, lar_scalar_distance(v->s, v->q->at[k], v->q->b[k], v->q->slope[k]));
  return far <= 1e-6 * v->g->null_slope;
}

/* Back to where it began: what is between may be far off. */
static void give_up(lar_pivot *v, double intercept, lar_point *at) {
  v->current = false;
  for (int64_t k = 0; k < v->q->m; k++) v->q->b[k] = at->coef[v->q->at[k]];
  at->intercept[0] = intercept;
  lar_predict(v->g, at->coef, at->intercept, at->eta);
}

/* Errors of the inverse grow with its changes: where they are felt it is made anew. */
lar_status lar_pivot_follow(lar_pivot *v, const lar_problem *g, const lar_scalar *s,
                            lar_quad *q, double from, lar_point *at, bool *done) {
  enum { TURNS = 3, LONGEST = 15 };
  const double intercept = at->intercept[0];
  v->g = g, v->s = s, v->q = q;
  *done = false;
  if (v->wait-- > 0) return LAR_OK;
  for (int turn = 0; turn < TURNS && !*done && !lar_interrupt_pending(); turn++) {
    LAR_TRY(lar_pivot_begin(v, from, at));
    if (!v->current) break;
    take_aim(v);
    look_ahead(v);
    const double changes = changes_ahead(v, at), most = affordable(v, changes);
    *done = changes <= most;
    v->pause = *done ? 0 : 2 * v->pause + 1 < LONGEST ? 2 * v->pause + 1 : LONGEST;
    v->wait = v->pause;
    if (!*done) break;
    LAR_TRY(walk(v, 2 * most, at, done));
    *done = holds(v, at) && *done;
    if (!*done) v->current = false;
  }
  if (!*done) give_up(v, intercept, at);
  for (int64_t k = 0; k < q->m; k++) at->coef[q->at[k]] = q->b[k];
  return LAR_OK;
}
