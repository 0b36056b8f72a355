/* The optimum of a loss of parabolas and lines with l1 is a broken line in the strength (Rosset
 * & Zhu 2007, Ann. Statist. 35(3)); a point that is no optimum is one of a problem with a
 * linear term, which falls to nothing on the way (Best 1996, in Applied Mathematics and
 * Parallel Computing). With `now` falling from 1 to 0, for coefficients that are in,
 *
 *   slope_k + ridge_k b_k + now pull_k + (lambda a_k + now rate_k) lean_k = 0,
 *
 * so that b moves by aim = (H + ridge)^-1 (pull + rate lean) as `now` falls by one. */
#include "solver/pivot.h"

#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "kern/flat.h"
#include "solver/centre.h"
#include "solver/columns.h"

/* Numbers in Z. */
static const double MOST = 1 << 23;

bool lar_pivot_fits(const lar_problem *g, const lar_scalar *s) {
  return g->family->stretch != NULL && s->convex && s->other == NULL && s->lo == NULL;
}

void lar_pivot_close(lar_pivot *v) {
  lar_inverse_close(&v->inverse);
  lar_free(v->low);
  lar_free(v->piece);
  lar_free(v->Z);
  lar_free(v->column);
  lar_free(v->lean);
  lar_free(v->who);
  lar_free(v->aim);
  lar_free(v->columns);
  *v = (lar_pivot){0};
}

static lar_status open_rows(lar_pivot *v) {
  const int64_t n = v->g->x->n;
  void *made;
  LAR_TRY(lar_alloc(&made, (size_t)(4 * n) + 1, sizeof(double)));
  v->low = made, v->high = v->low + n, v->e = v->high + n, v->de = v->e + n;
  LAR_TRY(lar_alloc(&made, (size_t)n + 1, sizeof *v->piece));
  v->piece = made;
  v->bend = v->g->family->bound(v->g->self);
  v->g->family->stretch(v->g->self, &v->g->rows, v->low, v->high);
  v->ready = true;
  return LAR_OK;
}

/* ---- members and slots ---- */

static lar_status seat_members(lar_pivot *v) {
  const int64_t cap = v->q->cap;
  void *made, *Z, *numbers;
  if (v->cap == cap) return LAR_OK;
  v->packed = 0, v->current = false;
  lar_free(v->Z);
  lar_free(v->column);
  lar_free(v->lean);
  v->Z = v->lean = NULL, v->column = NULL, v->cap = 0;
  LAR_TRY(lar_alloc_raw(&Z, (size_t)(cap * lar_pivot_apart(v)) + 1, sizeof(double)));
  v->Z = Z;
  LAR_TRY(lar_alloc_raw(&made, (size_t)(2 * cap) + 1, sizeof(int64_t)));
  v->column = made, v->slot = v->column + cap;
  LAR_TRY(lar_alloc(&numbers, (size_t)(4 * cap) + 1, sizeof(double)));
  v->lean = numbers, v->drift = v->lean + cap, v->pull = v->drift + cap;
  v->rate = v->pull + cap;
  v->cap = cap;
  return LAR_OK;
}

static void pack(lar_pivot *v, int64_t k) {
  const lar_design *x = v->g->x;
  const int64_t j = v->q->at[k];
  const double scale = lar_design_scale(x, j), mean = lar_design_mean(x, j);
  double *to = lar_pivot_column(v, k);
  if (x->sparse == NULL) {
    lar_design_pack(x, j, 0, x->n, 0, NULL, to);
  } else {
    for (int64_t i = 0; i < x->n; i++) to[i] = -mean / scale;
    lar_design_axpy(x, j, 1 / scale, NULL, to);
  }
  v->column[k] = j;
  v->slot[k] = -1;
}

/* Z has the columns of the members. */
static lar_status gather(lar_pivot *v) {
  LAR_TRY(seat_members(v));
  for (int64_t k = 0; k < v->packed; k++)
    if (k >= v->q->m || v->column[k] != v->q->at[k]) {
      v->packed = 0;
      v->current = false;
    }
  for (; v->packed < v->q->m; v->packed++) pack(v, v->packed);
  return LAR_OK;
}

static lar_status seats(lar_pivot *v, int64_t n) {
  void *who, *aim = NULL, *columns;
  if (n <= v->seats) return LAR_OK;
  const int64_t room = n + n / 4 + 16;
  LAR_TRY(lar_alloc_raw(&who, (size_t)room, sizeof(int64_t)));
  lar_status st = lar_alloc(&aim, (size_t)(5 * room), sizeof(double));
  if (st == LAR_OK) st = lar_alloc_raw(&columns, (size_t)room, sizeof(double *));
  if (st != LAR_OK) {
    lar_free(who);
    lar_free(aim);
    return st;
  }
  double *to = aim;
  if (v->inverse.n > 0) {
    memcpy(who, v->who, (size_t)v->inverse.n * sizeof(int64_t));
    memcpy(to, v->aim, (size_t)v->inverse.n * sizeof(double));
    memcpy(to + room, v->with, (size_t)v->inverse.n * sizeof(double));
    memcpy(to + 2 * room, v->turn, (size_t)v->inverse.n * sizeof(double));
    memcpy(to + 3 * room, v->way, (size_t)v->inverse.n * sizeof(double));
  }
  lar_free(v->who);
  lar_free(v->aim);
  lar_free((void *)v->columns);
  v->who = who, v->aim = to, v->with = to + room, v->turn = to + 2 * room;
  v->way = to + 3 * room, v->shares = to + 4 * room, v->columns = columns;
  v->seats = room;
  return LAR_OK;
}

/* A slot for member k. */
lar_status lar_pivot_seat(lar_pivot *v, int64_t k, int64_t *at) {
  const int64_t n = v->inverse.n;
  for (*at = 0; *at < n && v->who[*at] != LAR_PIVOT_NOBODY; ++*at) continue;
  if (*at == n) {
    LAR_TRY(seats(v, n + 1));
    LAR_TRY(lar_inverse_room(&v->inverse, n + 1));
    v->aim[n] = v->with[n] = v->turn[n] = 0;
  }
  v->who[*at] = k;
  if (k >= 0) v->slot[k] = *at;
  return LAR_OK;
}

/* ---- sums over what is in ---- */

/* out (n) = sum over slots of f times their columns of Z. */
void lar_pivot_spread(lar_pivot *v, const double *f, double *out) {
  double shift = 0;
  int64_t m = 0;
  for (int64_t c = 0; c < v->inverse.n; c++) {
    if (v->who[c] == LAR_PIVOT_INTERCEPT) shift = f[c];
    if (v->who[c] < 0 || f[c] == 0) continue;
    v->columns[m] = lar_pivot_column(v, v->who[c]);
    v->shares[m++] = f[c];
  }
  lar_inverse_sum(v->g->x->n, m, v->columns, v->shares, out);
  for (int64_t i = 0; shift != 0 && i < v->g->x->n; i++) out[i] += shift;
}

/* out = K f, 0 where there is nobody. */
void lar_pivot_apply(const lar_pivot *v, const double *f, double *out) {
  lar_inverse_apply(&v->inverse, f, out);
  for (int64_t c = 0; c < v->inverse.n; c++)
    if (v->who[c] == LAR_PIVOT_NOBODY) out[c] = 0;
}

/* out = what rows' slopes change by where eta does by `e`. */
void lar_pivot_bend(const lar_pivot *v, const double *e, double *out) {
  const double *w = v->g->rows.w;
  for (int64_t i = 0; i < v->g->x->n; i++)
    out[i] = v->piece[i] == 0 ? v->bend * w[i] * e[i] : 0;
}

/* ---- starting ---- */

static bool is_in(const lar_pivot *v, int64_t k) {
  return v->q->b[k] != 0 || lar_pivot_limit(v, k) == 0;
}

/* Which piece each row is on; one that stands on an edge stays where it was. True: as before.
 */
static bool find_pieces(lar_pivot *v, const double *eta) {
  const double near = 1e-10;
  bool same = true;
  for (int64_t i = 0; i < v->g->x->n; i++) {
    const int to = !(v->g->rows.w[i] > 0) ? 2
                   : eta[i] < v->low[i]   ? -1
                   : eta[i] > v->high[i]  ? 1
                                          : 0;
    if (to == v->piece[i]) continue;
    const double edge = to + v->piece[i] < 0 ? v->low[i] : v->high[i];
    if (v->current && to * v->piece[i] == 0 && fabs(eta[i] - edge) <= near * (1 + fabs(edge)))
      continue;
    v->piece[i] = to;
    same = false;
  }
  return same;
}

/* Rows on their parabolas, of the columns that are in, times the roots of their curvatures. */
static int64_t fill_rows(const lar_pivot *v, double *to, int64_t ld) {
  const double *w = v->g->rows.w;
  int64_t rows = 0;
  for (int64_t i = 0; i < v->g->x->n; i++) {
    if (v->piece[i] != 0) continue;
    const double root = sqrt(v->bend * w[i]);
    for (int64_t c = 0; c < v->inverse.n; c++)
      to[c * ld + rows] =
        root * (v->who[c] == LAR_PIVOT_INTERCEPT ? 1 : lar_pivot_column(v, v->who[c])[i]);
    rows++;
  }
  return rows;
}

/* The inverse from the beginning; not v->current where there is none. */
static lar_status build(lar_pivot *v) {
  void *made;
  int64_t c;
  v->inverse.n = v->inverse.waiting = 0;
  if (v->g->intercept) LAR_TRY(lar_pivot_seat(v, LAR_PIVOT_INTERCEPT, &c));
  for (int64_t k = 0; k < v->q->m; k++) {
    v->slot[k] = -1;
    if (is_in(v, k)) LAR_TRY(lar_pivot_seat(v, k, &c));
  }
  const int64_t m = v->inverse.n, ld = lar_pivot_apart(v);
  LAR_TRY(lar_alloc_raw(&made, (size_t)(m * ld) + 1, sizeof(double)));
  const int64_t rows = fill_rows(v, made, ld);
  lar_flat_square(rows, m, made, ld, v->inverse.at, v->inverse.side);
  lar_free(made);
  double least = HUGE_VAL, most = 0;
  for (c = 0; c < m; c++) {
    double *own = v->inverse.at + c * v->inverse.side + c;
    if (v->who[c] >= 0) *own += lar_pivot_ridge(v, v->who[c]);
    most = fmax(most, *own);
  }
  v->current = lar_flat_cholesky(m, v->inverse.at, v->inverse.side);
  for (c = 0; v->current && c < m; c++)
    least = fmin(least, v->inverse.at[c * v->inverse.side + c]);
  v->current = v->current && (m == 0 || least * least > 1e-10 * most);
  if (v->current) lar_flat_inverse(m, v->inverse.at, v->inverse.side);
  return LAR_OK;
}

/* Where no row bends at all, the intercept goes to where one does: the loss is level so far. */
static void find_a_bend(lar_pivot *v, lar_point *at) {
  double by = HUGE_VAL;
  for (int64_t i = 0; i < v->g->x->n; i++) {
    if (v->piece[i] == 0) return;
    const double off = v->piece[i] == -1 ? v->low[i] - at->eta[i] : v->high[i] - at->eta[i];
    if (v->piece[i] != 2 && fabs(off) < fabs(by)) by = off;
  }
  if (!v->g->intercept || by == HUGE_VAL) return;
  at->intercept[0] += by;
  for (int64_t i = 0; i < v->g->x->n; i++) at->eta[i] += by;
  find_pieces(v, at->eta);
}

/* The inverse is of those that are in. */
static bool holds(const lar_pivot *v) {
  for (int64_t k = 0; k < v->q->m; k++)
    if (is_in(v, k) != (v->slot[k] >= 0)) return false;
  return v->s->b == NULL;
}

/* The linear term that makes the point an optimum, at strengths that begin at `from`. */
static void set_pulls(lar_pivot *v, double from, const lar_point *at) {
  lar_quad *q = v->q;
  double most = fmax(from, v->s->lambda), sum = 0;
  for (int64_t k = 0; k < q->m; k++)
    if (v->slot[k] < 0) most = fmax(most, fabs(q->slope[k]) / v->s->a[q->at[k]]);
  for (int64_t k = 0; k < q->m; k++) {
    const double a = v->s->a[q->at[k]], b = q->b[k];
    v->rate[k] = a == 0 || a == HUGE_VAL ? 0 : (most - v->s->lambda) * a;
    v->lean[k] = a == 0 || b == 0 ? 0 : copysign(1, b);
    v->pull[k] = 0;
    if (v->slot[k] < 0) continue;
    v->pull[k] = -(q->slope[k] + lar_pivot_ridge(v, k) * b +
                   (lar_pivot_limit(v, k) + v->rate[k]) * v->lean[k]);
  }
  v->g->family->slopes(v->g->self, &v->g->rows, at->eta, v->de, NULL);
  sum = lar_total(v->de, v->g->x->n);
  v->tilt = -sum;
  v->now = 1;
}

lar_status lar_pivot_begin(lar_pivot *v, double from, lar_point *at) {
  v->now = 0;
  if ((double)v->g->x->n * (double)v->q->cap > MOST) return LAR_OK;
  if (!v->ready) LAR_TRY(open_rows(v));
  LAR_TRY(gather(v));
  const bool same = find_pieces(v, at->eta);
  find_a_bend(v, at);
  if (!same || !v->current || !holds(v)) LAR_TRY(build(v));
  if (v->current) set_pulls(v, from, at);
  return LAR_OK;
}
