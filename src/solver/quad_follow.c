/* The optimum as a function of the strength is a broken line (Osborne, Presnell & Turlach 2000,
 * IMA J. Numer. Anal. 20(3); Efron et al. 2004, Ann. Statist. 32(2)). It is followed with the
 * inverse of H among those that are in, which changes by one row and column at a knot.
 *
 * With r_k = a_k sign(b_k), the line's direction as the strength falls by one is
 * aim = H^-1 r, and slopes change by drift = H aim.
 *
 * A quadratic penalty lambda b_k w^2 / 2 would bend the line, as H + lambda b changes with the
 * strength. It is held at its last strength, `to`, and what is missing at the start, for that
 * or because the point is not quite an optimum, is made good by a linear term that falls to 0
 * on the way:
 *   slope_k + to b_k w_k + (now - to) pull_k + now a_k sign(w_k) = 0
 * for those that are in, at every strength `now` between; slopes hold the first three. */
#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "core/par.h"
#include "kern/flat.h"
#include "solver/quad.h"

void lar_quad_follow_clear(lar_quad *q) {
  lar_free(q->inverse);
  lar_free(q->list);
  lar_free(q->aim);
  q->inverse = q->aim = NULL;
  q->list = NULL;
  q->inside = q->side = q->lists = 0;
}

static double *column(const lar_quad *q, int64_t c) { return q->inverse + c * q->side; }

static lar_status lists(lar_quad *q) {
  void *list, *aim;
  if (q->lists == q->cap) return LAR_OK;
  LAR_TRY(lar_alloc_raw(&list, (size_t)q->cap, sizeof(int64_t)));
  lar_status st = lar_alloc_raw(&aim, (size_t)(6 * q->cap), sizeof(double));
  if (st != LAR_OK) {
    lar_free(list);
    return st;
  }
  if (q->inside > 0) memcpy(list, q->list, (size_t)q->inside * sizeof(int64_t));
  lar_free(q->list);
  lar_free(q->aim);
  q->list = list, q->lists = q->cap;
  q->aim = aim, q->drift = q->aim + q->cap, q->turn = q->drift + q->cap;
  q->ridge = q->turn + 2 * q->cap, q->pull = q->ridge + q->cap;
  return LAR_OK;
}

static lar_status room_for(lar_quad *q, int64_t n) {
  void *v;
  if (n <= q->side) return LAR_OK;
  int64_t side = n + n / 4 + 16;
  if (side > q->cap) side = q->cap;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(side * side), sizeof(double)));
  double *to = v;
  for (int64_t c = 0; c < q->inside; c++)
    memcpy(to + c * side, column(q, c), (size_t)q->inside * sizeof *to);
  lar_free(q->inverse);
  q->inverse = to, q->side = side;
  return LAR_OK;
}

/* ---- starting ---- */

/* Does the list hold those that are not 0, and no others? */
static bool current(const lar_quad *q) {
  int64_t n = 0;
  for (int64_t k = 0; k < q->m; k++) n += q->b[k] != 0;
  if (n != q->inside) return false;
  for (int64_t c = 0; c < n; c++)
    if (q->b[q->list[c]] == 0) return false;
  return true;
}

static lar_status restart(lar_quad *q, bool *done) {
  int64_t n = 0;
  q->inside = 0;
  for (int64_t k = 0; k < q->m; k++)
    if (q->b[k] != 0) q->list[n++] = k;
  LAR_TRY(room_for(q, n));
  q->inside = n;
  for (int64_t c = 0; c < n; c++) {
    for (int64_t i = c; i < n; i++) column(q, c)[i] = q->gram[q->list[c] * q->cap + q->list[i]];
    column(q, c)[c] += q->ridge[q->list[c]];
  }
  *done = lar_flat_cholesky(n, q->inverse, q->side);
  if (*done)
    lar_flat_inverse(n, q->inverse, q->side);
  else
    q->inside = 0;
  return LAR_OK;
}

/* ---- linear algebra ---- */

enum { PIECE = 512, MUCH = 1 << 18 }; /* rows or columns of a task; when they are worth it */

static void share_out(int64_t n, int64_t work, lar_par_task *task, void *ctx) {
  int64_t pieces = (n + PIECE - 1) / PIECE;
  if (work >= MUCH)
    lar_par_tasks(pieces, task, ctx);
  else
    for (int64_t k = 0; k < pieces; k++) task(ctx, k);
}

typedef struct sum {
  const double *from;
  int64_t stride, n, rows;
  const int64_t *list; /* n columns of `from`, or NULL: the first */
  double f;
  const double *v; /* n */
  double *out;     /* rows: += f from[:, list] v */
} sum;

static const double *column_of(const sum *s, int64_t c) {
  return s->from + (s->list != NULL ? s->list[c] : c) * s->stride;
}

static void sum_piece(void *ctx, int64_t piece) {
  const sum *s = ctx;
  int64_t c = 0, from = piece * PIECE, end = from + PIECE < s->rows ? from + PIECE : s->rows;
  double *out = s->out, f = s->f;
  const double *v = s->v;
  for (; c + 4 <= s->n; c += 4) {
    const double *g[4], d[4] = {f * v[c], f * v[c + 1], f * v[c + 2], f * v[c + 3]};
    for (int k = 0; k < 4; k++) g[k] = column_of(s, c + k);
    for (int64_t i = from; i < end; i++)
      out[i] += (g[0][i] * d[0] + g[1][i] * d[1]) + (g[2][i] * d[2] + g[3][i] * d[3]);
  }
  for (; c < s->n; c++) {
    const double *g = column_of(s, c), d = f * v[c];
    for (int64_t i = from; i < end; i++) out[i] += d * g[i];
  }
}

static void add_up(sum *s) { share_out(s->rows, s->rows * s->n, sum_piece, s); }

/* out (m) += f (H + ridge)[:, list] v */
static void add_products(const lar_quad *q, double f, const double *v, double *out) {
  sum s = {q->gram, q->cap, q->inside, q->m, q->list, f, v, out};
  for (int64_t i = 0; i < q->inside; i++) out[q->list[i]] += f * v[i] * q->ridge[q->list[i]];
  add_up(&s);
}

/* out = inverse v */
static void solve(const lar_quad *q, const double *v, double *out) {
  sum s = {q->inverse, q->side, q->inside, q->inside, NULL, 1, v, out};
  memset(out, 0, (size_t)q->inside * sizeof *out);
  add_up(&s);
}

typedef struct square {
  lar_quad *q;
  double f;
  const double *v;
} square;

static void square_piece(void *ctx, int64_t piece) {
  const square *s = ctx;
  int64_t n = s->q->inside, end = (piece + 1) * PIECE < n ? (piece + 1) * PIECE : n;
  for (int64_t c = piece * PIECE; c < end; c++) {
    double *to = column(s->q, c), d = s->f * s->v[c];
    for (int64_t i = 0; i < n; i++) to[i] += d * s->v[i];
  }
}

/* inverse += f v v' */
static void add_square(lar_quad *q, double f, const double *v) {
  square s = {q, f, v};
  share_out(q->inside, q->inside * q->inside, square_piece, &s);
}

/* ---- knots ---- */

static double strength(const lar_scalar *s, const lar_quad *q, int64_t k) {
  return s->a[q->at[k]];
}

/* r_k of member k, of that sign */
static double lean(const lar_scalar *s, const lar_quad *q, int64_t k, double sign) {
  return copysign(strength(s, q, k), sign) + q->pull[k];
}

static void set_aim(lar_quad *q, const lar_scalar *s) {
  for (int64_t c = 0; c < q->inside; c++) {
    int64_t k = q->list[c];
    q->turn[c] = lean(s, q, k, q->b[k]);
  }
  solve(q, q->turn, q->aim);
  for (int64_t k = 0; k < q->m; k++) q->drift[k] = -q->pull[k];
  add_products(q, 1, q->aim, q->drift);
}

/* Member k comes in, with that sign. False where it depends on those that are in. */
static lar_status enter(lar_quad *q, const lar_scalar *s, int64_t k, double sign, bool *done) {
  int64_t n = q->inside;
  const double *h = q->gram + k * q->cap;
  double *w = q->turn, *with = q->turn + q->cap, own = h[k] + q->ridge[k], rest = own;
  double far = lean(s, q, k, sign);
  LAR_TRY(room_for(q, n + 1));
  for (int64_t c = 0; c < n; c++) with[c] = h[q->list[c]];
  solve(q, with, w);
  for (int64_t c = 0; c < n; c++) {
    int64_t i = q->list[c];
    rest -= w[c] * with[c];
    far -= w[c] * lean(s, q, i, q->b[i]);
  }
  *done = rest > 1e-10 * own;
  if (!*done) return LAR_OK;
  far /= rest;
  add_products(q, -far, w, q->drift);
  q->drift[k] += far * q->ridge[k];
  for (int64_t i = 0; i < q->m; i++) q->drift[i] += far * h[i];
  for (int64_t c = 0; c < n; c++) q->aim[c] -= far * w[c];
  q->aim[n] = far;
  add_square(q, 1 / rest, w);
  for (int64_t c = 0; c < n; c++) column(q, c)[n] = column(q, n)[c] = -w[c] / rest;
  column(q, n)[n] = 1 / rest;
  q->list[n] = k;
  q->inside = n + 1;
  return LAR_OK;
}

/* The c-th of the list goes out; the last takes its place. */
static void leave(lar_quad *q, int64_t c) {
  int64_t last = q->inside - 1;
  double *m = q->turn;
  memcpy(m, column(q, c), (size_t)q->inside * sizeof *m);
  double pivot = m[c], far = q->aim[c] / pivot;
  add_products(q, -far, m, q->drift);
  for (int64_t i = 0; i < q->inside; i++) q->aim[i] -= far * m[i];
  add_square(q, -1 / pivot, m);
  memcpy(column(q, c), column(q, last), (size_t)q->inside * sizeof *m);
  for (int64_t i = 0; i < q->inside; i++) column(q, i)[c] = column(q, i)[last];
  q->list[c] = q->list[last];
  q->aim[c] = q->aim[last];
  q->inside = last;
}

typedef struct knot {
  double t;        /* how far the strength falls until it comes */
  int64_t in, out; /* member that comes in, place in the list that goes out; or -1 */
  double sign;
} knot;

/* b is not 0 for those that are in, but for one that has just come. */
static knot next(const lar_quad *q, const lar_scalar *s, double now, double most, int64_t fresh,
                 int64_t gone) {
  knot at = {.t = most, .in = -1, .out = -1};
  for (int64_t c = 0; c < q->inside; c++) {
    double b = q->b[q->list[c]], d = q->aim[c];
    if (b * d < 0 && -b / d < at.t) at = (knot){.t = -b / d, .in = -1, .out = c};
  }
  for (int64_t k = 0; k < q->m; k++) {
    if (q->b[k] != 0 || k == fresh) continue;
    double a = strength(s, q, k), v = q->drift[k], slope = q->slope[k];
    if (!(a < HUGE_VAL) || !(q->curve[k] > 1e-300)) continue;
    double up = a + v > 0 ? (a * now - slope) / (a + v) : HUGE_VAL;
    double down = a - v > 0 ? (a * now + slope) / (a - v) : HUGE_VAL;
    double t = up < down ? up : down;
    if (t >= at.t || (k == gone && t <= 1e-9 * now)) continue;
    at = (knot){.t = t > 0 ? t : 0, .in = k, .out = -1, .sign = up < down ? -1 : 1};
  }
  return at;
}

static void go(lar_quad *q, double t) {
  for (int64_t c = 0; c < q->inside; c++) q->b[q->list[c]] += t * q->aim[c];
  for (int64_t k = 0; k < q->m; k++) q->slope[k] += t * q->drift[k];
}

/* Does the inverse stand for the ridge at this strength? Slopes take in the quadratic penalty
 * and the linear term; the way begins at a strength that holds those that are 0. */
static bool bend(lar_quad *q, const lar_scalar *s, double lift, double *from) {
  for (int64_t k = 0; k < q->m; k++) {
    const double b = s->b != NULL ? s->b[q->at[k]] : 0, a = strength(s, q, k);
    q->ridge[k] = s->lambda * b + lift;
    q->slope[k] += q->ridge[k] * q->b[k];
    if (q->b[k] == 0 && q->curve[k] > 1e-300) *from = fmax(*from, fabs(q->slope[k]) / a);
  }
  const double way = *from - s->lambda;
  for (int64_t k = 0; k < q->m; k++) {
    const double a = strength(s, q, k);
    q->pull[k] =
      q->b[k] == 0 || !(way > 0) ? 0 : -(q->slope[k] + *from * copysign(a, q->b[k])) / way;
    q->slope[k] += way * q->pull[k];
  }
  return s->b == NULL && lift == 0;
}

static void unbend(lar_quad *q, const lar_scalar *s, double now) {
  for (int64_t k = 0; k < q->m; k++)
    q->slope[k] -= q->ridge[k] * q->b[k] + (now - s->lambda) * q->pull[k];
}

static lar_status walk(lar_quad *q, const lar_scalar *s, double lift, double from, bool *done,
                       int64_t *knots) {
  const int64_t most = *knots + 8 * q->m + 64;
  int64_t fresh = -1, gone = -1;
  *done = true;
  if (!bend(q, s, lift, &from) || !current(q)) LAR_TRY(restart(q, done));
  double now = from;
  if (!(from < HUGE_VAL)) *done = false;
  if (*done) set_aim(q, s);
  for (; now > s->lambda && *done; ++*knots) {
    knot at = next(q, s, now, now - s->lambda, fresh, gone);
    go(q, at.t);
    now = at.in < 0 && at.out < 0 ? s->lambda : now - at.t;
    fresh = gone = -1;
    if (at.in >= 0) {
      LAR_TRY(enter(q, s, at.in, at.sign, done));
      fresh = at.in;
      if (*done && q->aim[q->inside - 1] * at.sign <= 0) *done = false;
    } else if (at.out >= 0) {
      gone = q->list[at.out];
      leave(q, at.out);
      q->b[gone] = 0;
    }
    if (*knots >= most || lar_interrupt_pending()) *done = false;
  }
  /* what has come in at the very end is still 0: it is not in */
  if (fresh >= 0 && q->b[fresh] == 0) q->inside = 0;
  if (!*done || lift > 0) q->inside = 0;
  unbend(q, s, now);
  return LAR_OK;
}

lar_status lar_quad_follow(lar_quad *q, const lar_scalar *s, double from, bool *done,
                           int64_t *knots) {
  *knots = 0;
  LAR_TRY(lists(q));
  return walk(q, s, 0, from, done, knots);
}

lar_status lar_quad_finish(lar_quad *q, const lar_scalar *s, int64_t *knots) {
  const double lifts[] = {0, 1e-11, 1e-9};
  double most = 0;
  bool done = false;
  *knots = 0;
  LAR_TRY(lists(q));
  for (int64_t k = 0; k < q->m; k++) most = fmax(most, q->curve[k]);
  for (int turn = 0; turn < 3 && !done && !lar_interrupt_pending(); turn++)
    LAR_TRY(walk(q, s, lifts[turn] * most, 1.5 * s->lambda, &done, knots));
  return LAR_OK;
}
