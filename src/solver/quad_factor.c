/* A factor for sets that change a little from step to step. With the base S, members i that
 * have come since and o that have gone, the system among those that are in is
 *
 *   [ H_SS  H_Si  E ] [x_S]   [r_S]
 *   [ H_iS  H_ii  0 ] [x_i] = [r_i]      E: the unit vectors of o, whose x are held at 0,
 *   [ E'    0     0 ] [ v ]   [ 0 ]
 *
 * and with H_SS = l l' and the columns C = [H_Si E], W = l^-1 C, what is left of it is
 * (D - W'W) y = d - W' l^-1 r_S: a small matrix that is positive on i and negative on o, so
 * that it has a factor in any order (Vanderbei 1995, SIAM J. Optim. 5(1)). */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "kern/flat.h"
#include "solver/columns.h"
#include "solver/quad.h"

enum { MOST = 64, PART = 8 }; /* columns; of the base one in so many, and as many */

void lar_factor_close(lar_factor *f) {
  lar_free(f->base);
  lar_free(f->place);
  lar_free(f->l);
  lar_free(f->column);
  *f = (lar_factor){0};
}

static double dot(int64_t n, const double *a, const double *b) {
  return lar_columns_f64.dot(n, NULL, a, b);
}

static double ridge(const lar_quad *q, const lar_scalar *s, int64_t k) {
  return s->b == NULL ? 0 : s->lambda * s->b[q->at[k]];
}

static lar_status know(lar_factor *f, int64_t cap) {
  void *v;
  if (f->cap >= cap) return LAR_OK;
  lar_free(f->place);
  f->place = NULL, f->cap = f->n = 0;
  LAR_TRY(lar_alloc(&v, (size_t)(2 * cap), sizeof(int64_t)));
  f->place = v, f->later = f->place + cap;
  f->cap = cap;
  return LAR_OK;
}

static lar_status room_for(lar_factor *f, int64_t n, int64_t cap) {
  void *base, *l, *column;
  if (n <= f->room) return LAR_OK;
  int64_t room = n + n / 8 + 8;
  if (room > cap) room = cap;
  lar_free(f->base);
  lar_free(f->l);
  lar_free(f->column);
  f->base = NULL, f->l = f->column = NULL, f->room = 0;
  LAR_TRY(lar_alloc_raw(&base, (size_t)(room + MOST), sizeof(int64_t)));
  f->base = base, f->who = f->base + room;
  LAR_TRY(lar_alloc_raw(&l, (size_t)(room * room), sizeof(double)));
  f->l = l;
  LAR_TRY(lar_alloc_raw(&column, (size_t)((MOST + 1) * (room + MOST + 1)), sizeof(double)));
  f->column = column, f->head = f->column + MOST * room;
  f->small = f->head + room, f->y = f->small + MOST * MOST;
  f->room = room;
  return LAR_OK;
}

/* The base becomes those that are in: H + ridge, factored; a little more on its diagonal where
 * it is singular. */
static lar_status rebase(lar_quad *q, const lar_scalar *s, int64_t n) {
  lar_factor *f = &q->factor;
  f->n = 0;
  LAR_TRY(know(f, q->cap));
  LAR_TRY(room_for(f, n, q->cap));
  memset(f->place, 0, (size_t)(2 * f->cap) * sizeof *f->place);
  f->columns = 0, f->lift = 0, f->strength = s->lambda;
  for (int turn = 0; turn < 6; turn++) {
    double most = 0;
    for (int64_t c = 0; c < n; c++) {
      const double *h = q->gram + q->in[c] * q->cap;
      double *to = f->l + c * f->room;
      for (int64_t i = c; i < n; i++) to[i] = h[q->in[i]];
      most = to[c] > most ? to[c] : most;
      to[c] += ridge(q, s, q->in[c]) + f->lift;
    }
    if (lar_flat_cholesky(n, f->l, f->room)) {
      f->n = n;
      break;
    }
    f->lift = f->lift == 0 ? 1e-12 * most : f->lift * 100;
  }
  memcpy(f->base, q->in, (size_t)f->n * sizeof *f->base);
  for (int64_t c = 0; c < f->n; c++) f->place[f->base[c]] = c + 1;
  return LAR_OK;
}

/* l^-1 of the column of member k; false where there is no room for another. */
static bool add_column(lar_quad *q, int64_t k) {
  lar_factor *f = &q->factor;
  if (f->later[k] != 0) return true;
  if (f->columns == MOST) return false;
  double *to = f->column + f->columns * f->room;
  const double *h = q->gram + k * q->cap;
  const bool gone = f->place[k] != 0;
  for (int64_t c = 0; c < f->n; c++) to[c] = gone ? 0 : h[f->base[c]];
  if (gone) to[f->place[k] - 1] = 1;
  lar_flat_forward(f->n, f->l, f->room, to);
  f->later[k] = ++f->columns;
  return true;
}

/* Those that came or went since, in f->who; how many, or -1: too many, or none of this holds.
 */
static int64_t changes(lar_quad *q, const lar_scalar *s, int64_t n) {
  lar_factor *f = &q->factor;
  int64_t m = 0, kept = 0;
  if (f->n == 0 || f->cap < q->cap || (s->b != NULL && s->lambda != f->strength)) return -1;
  const int64_t most = f->n / PART < MOST ? f->n / PART : MOST;
  for (int64_t c = 0; c < n; c++) {
    if (f->place[q->in[c]] != 0)
      kept++;
    else if (m < most)
      f->who[m++] = q->in[c];
    else
      return -1;
  }
  if (m + f->n - kept > most) return -1;
  for (int64_t c = 0; c < f->n; c++) f->head[c] = 0;
  for (int64_t c = 0; c < n; c++)
    if (f->place[q->in[c]] != 0) f->head[f->place[q->in[c]] - 1] = 1;
  for (int64_t c = 0; c < f->n; c++)
    if (f->head[c] == 0) f->who[m++] = f->base[c];
  for (int64_t c = 0; c < m; c++)
    if (!add_column(q, f->who[c])) return -1;
  return m;
}

/* small = D - W'W, its lower half; y = d - W' head. */
static void fill_small(lar_quad *q, const lar_scalar *s, int64_t m) {
  lar_factor *f = &q->factor;
  for (int64_t a = 0; a < m; a++) {
    const int64_t k = f->who[a];
    const double *w = f->column + (f->later[k] - 1) * f->room;
    f->y[a] -= dot(f->n, w, f->head);
    for (int64_t b = 0; b <= a; b++) {
      const int64_t l = f->who[b];
      double d = f->place[k] == 0 && f->place[l] == 0 ? q->gram[k * q->cap + l] : 0;
      if (a == b && f->place[k] == 0) d += ridge(q, s, k) + f->lift;
      f->small[b * MOST + a] = d - dot(f->n, w, f->column + (f->later[l] - 1) * f->room);
    }
  }
}

/* y = small^-1 y, by a factor with pivots of both signs; false where one is 0. */
static bool solve_small(lar_factor *f, int64_t m) {
  double *A = f->small, *y = f->y;
  for (int64_t c = 0; c < m; c++) {
    const double pivot = A[c * MOST + c];
    if (!(fabs(pivot) > 1e-300)) return false;
    for (int64_t i = c + 1; i < m; i++) {
      const double by = A[c * MOST + i] / pivot;
      for (int64_t j = i; j < m; j++) A[i * MOST + j] -= by * A[c * MOST + j];
      y[i] -= by * y[c];
    }
  }
  for (int64_t c = m - 1; c >= 0; c--) {
    for (int64_t i = c + 1; i < m; i++) y[c] -= A[c * MOST + i] * y[i];
    y[c] /= A[c * MOST + c];
  }
  return true;
}

/* Among those in, by the base and m columns more. */
static bool divide(lar_quad *q, const lar_scalar *s, int64_t n, int64_t m, double *x) {
  lar_factor *f = &q->factor;
  int64_t come = 0;
  memset(f->head, 0, (size_t)f->n * sizeof *f->head);
  memset(f->y, 0, MOST * sizeof *f->y);
  for (int64_t c = 0; c < n; c++) {
    const int64_t at = f->place[q->in[c]];
    *(at != 0 ? &f->head[at - 1] : &f->y[come++]) = x[c];
  }
  lar_flat_forward(f->n, f->l, f->room, f->head);
  fill_small(q, s, m);
  if (!solve_small(f, m)) return false;
  for (int64_t a = 0; a < m; a++) {
    const double *w = f->column + (f->later[f->who[a]] - 1) * f->room;
    for (int64_t c = 0; c < f->n; c++) f->head[c] -= f->y[a] * w[c];
  }
  lar_flat_backward(f->n, f->l, f->room, f->head);
  come = 0;
  for (int64_t c = 0; c < n; c++) {
    const int64_t at = f->place[q->in[c]];
    x[c] = at != 0 ? f->head[at - 1] : f->y[come++];
  }
  return true;
}

lar_status lar_quad_divide(lar_quad *q, const lar_scalar *s, int64_t n, double *x, bool *done) {
  int64_t m = changes(q, s, n);
  *done = m >= 0 && divide(q, s, n, m, x);
  if (*done) return LAR_OK;
  LAR_TRY(rebase(q, s, n));
  *done = q->factor.n > 0 && divide(q, s, n, 0, x);
  return LAR_OK;
}
