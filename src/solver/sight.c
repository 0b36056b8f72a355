#include "solver/sight.h"

#include <string.h>

#include "core/mem.h"
#include "solver/centre.h"

enum { IN, OUT, HIDDEN }; /* HIDDEN: out, and nothing says that its slopes are small */

enum { FEW = 3 };       /* where one feature in so many matters, all are looked at */
enum { SMALL = 64 };    /* features of a block whose norm is more than that of its entries */
enum { SQUARINGS = 3 }; /* of its Gram matrix */

lar_status lar_sight_open(lar_sight *S, const lar_problem *g, const lar_blocks *B) {
  const size_t n = (size_t)(g->x->n * g->rows.k), m = (size_t)(g->x->p * g->rows.k);
  const size_t p = (size_t)g->x->p, blocks = (size_t)B->n;
  void *v;
  *S = (lar_sight){.g = g, .B = B, .lambda = -1};
  LAR_TRY(lar_alloc_raw(&v, n + 2 * m + blocks + (size_t)B->largest + 1, sizeof(double)));
  S->v = v, S->known = S->v + n, S->some = S->known + m, S->norm = S->some + m;
  S->part = S->norm + blocks;
  LAR_TRY(lar_alloc_raw(&v, p + 1, sizeof *S->list));
  S->list = v;
  LAR_TRY(lar_alloc(&v, blocks + 1, sizeof *S->bound));
  S->bound = v;
  LAR_TRY(lar_alloc(&v, blocks + p + 1, 1));
  S->out = v, S->seen = S->out + blocks;
  return LAR_OK;
}

void lar_sight_close(lar_sight *S) {
  lar_free(S->v);
  lar_free(S->list);
  lar_free(S->bound);
  lar_free(S->out);
  *S = (lar_sight){0};
}

static double square_of(const double *v, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += v[i] * v[i];
  return sum;
}

void lar_sight_all(lar_sight *S, const double *u, double *grad) {
  const int64_t n = S->g->x->n * S->g->rows.k, m = S->g->x->p * S->g->rows.k;
  lar_gradient(S->g, u, grad);
  memcpy(S->v, u, (size_t)n * sizeof *u);
  memcpy(S->known, grad, (size_t)m * sizeof *grad);
  memset(S->bound, 0, (size_t)S->B->n * sizeof *S->bound);
  S->square = square_of(u, n);
  S->share = 1;
  S->off = 0;
}

/* ---- norms of blocks ---- */

/* Features of block q, each once; more than `most` are not listed. */
static int64_t features(lar_sight *S, int64_t q, int64_t *list, int64_t most) {
  const lar_blocks *B = S->B;
  const int64_t p = S->g->x->p;
  int64_t m = 0;
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) {
    const int64_t j = B->coord[i] % p;
    if (S->seen[j]) continue;
    S->seen[j] = 1;
    if (m < most) list[m] = j;
    m++;
  }
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) S->seen[B->coord[i] % p] = 0;
  return m;
}

/* ||z_j||^2; what rounding may have taken is given back. */
static double square_of_column(const lar_design *x, int64_t j) {
  double one, two, scale = lar_design_scale(x, j), mean = lar_design_mean(x, j);
  lar_design_moments(x, j, NULL, &one, &two);
  const double square = two - 2 * mean * one + (double)x->n * mean * mean;
  return scale == 0 ? 0 : (fmax(square, 0) + 1e-12 * two) / (scale * scale);
}

/* A number above the greatest eigenvalue of A (m * m): the norm of its 2^k-th power. */
static double greatest(double *A, double *room, int64_t m) {
  double scale = 1, share = 1;
  for (int k = 0; k <= SQUARINGS; k++, share /= 2) {
    const double norm = sqrt(square_of(A, m * m));
    if (!(norm > 0)) return 0;
    scale *= pow(norm, share);
    if (k == SQUARINGS) break;
    for (int64_t i = 0; i < m * m; i++) A[i] /= norm;
    for (int64_t a = 0; a < m; a++)
      for (int64_t b = 0; b < m; b++) {
        double sum = 0;
        for (int64_t c = 0; c < m; c++) sum += A[a * m + c] * A[b * m + c];
        room[a * m + b] = sum;
      }
    memcpy(A, room, (size_t)(m * m) * sizeof *A);
  }
  return scale;
}

static double norm_of(lar_sight *S, const int64_t *list, int64_t m, double *room) {
  const lar_design *x = S->g->x;
  double *A = room + x->n, sum = 0;
  for (int64_t a = 0; a < m; a++) {
    const double scale = lar_design_scale(x, list[a]), mean = lar_design_mean(x, list[a]);
    for (int64_t i = 0; i < x->n; i++) room[i] = scale == 0 ? 0 : -mean / scale;
    if (scale != 0) lar_design_axpy(x, list[a], 1 / scale, NULL, room);
    lar_design_tmul(x, room, lar_total(room, x->n), list, m, A + a * m);
    A[a * m + a] = square_of_column(x, list[a]);
    sum += A[a * m + a];
  }
  return sqrt(fmin(sum, (1 + 1e-12) * greatest(A, A + m * m, m)));
}

static lar_status measure(lar_sight *S) {
  const lar_blocks *B = S->B;
  const lar_design *x = S->g->x;
  void *v;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(x->n + 2 * SMALL * SMALL), sizeof(double)));
  for (int64_t q = 0; q < B->n; q++) {
    const int64_t m = features(S, q, S->list, x->p);
    double sum = 0;
    for (int64_t k = 0; k < m && (m == 1 || m > SMALL); k++)
      sum += square_of_column(x, S->list[k]);
    S->norm[q] = m == 1 || m > SMALL ? sqrt(sum) : norm_of(S, S->list, m, v);
  }
  lar_free(v);
  S->measured = true;
  return LAR_OK;
}

/* ---- looks ---- */

/* The guess at the slopes of block q. */
static double *guess(const lar_sight *S, int64_t q) {
  const lar_blocks *B = S->B;
  for (int64_t i = B->start[q], k = 0; i < B->start[q + 1]; i++, k++)
    S->part[k] = S->share * S->known[B->coord[i]];
  return S->part;
}

static void mark(lar_sight *S, int64_t q) {
  for (int64_t i = S->B->start[q]; i < S->B->start[q + 1]; i++)
    S->seen[S->B->coord[i] % S->g->x->p] = 1;
}

/* Slopes of the features that are marked. */
static void take(lar_sight *S, const double *u, double *grad) {
  const int64_t p = S->g->x->p, k = S->g->rows.k;
  int64_t m = 0;
  for (int64_t j = 0; j < p; j++) {
    S->list[m] = j;
    m += S->seen[j];
  }
  memset(S->seen, 0, (size_t)p);
  if (m > p / FEW) {
    lar_sight_all(S, u, grad);
    return;
  }
  lar_design_tmul_each(S->g->x, u, k, S->list, m, S->some);
  for (int64_t c = 0; c < k; c++)
    for (int64_t l = 0; l < m; l++) grad[c * p + S->list[l]] = S->some[c * m + l];
}

static void compare(lar_sight *S, const double *u) {
  const int64_t n = S->g->x->n * S->g->rows.k;
  double dot = 0, off = 0;
  for (int64_t i = 0; i < n; i++) dot += u[i] * S->v[i];
  S->share = dot / S->square;
  for (int64_t i = 0; i < n; i++)
    off += (u[i] - S->share * S->v[i]) * (u[i] - S->share * S->v[i]);
  S->off = sqrt(off);
}

lar_status lar_sight_around(lar_sight *S, const char *in, const double *u, double *grad) {
  const lar_blocks *B = S->B;
  if (!(S->square > 0) || B->kind == LAR_BLOCK_OTHER) {
    lar_sight_all(S, u, grad);
    return LAR_OK;
  }
  if (!S->measured) LAR_TRY(measure(S));
  if (S->lambda != B->lambda) memset(S->out, IN, (size_t)B->n);
  S->lambda = B->lambda;
  compare(S, u);
  for (int64_t q = 0; q < B->n; q++) {
    const double *near = guess(S, q);
    const bool held = lar_block_slack(B, q, near, B->lambda) >= S->norm[q] * S->off;
    if (S->out[q] != IN) S->out[q] = held ? OUT : HIDDEN;
    S->bound[q] = !in[q] && (held || S->out[q] == HIDDEN);
    if (!S->bound[q]) {
      mark(S, q);
      continue;
    }
    for (int64_t i = B->start[q], k = 0; i < B->start[q + 1]; i++, k++)
      grad[B->coord[i]] = held ? near[k] : 0;
  }
  take(S, u, grad);
  return LAR_OK;
}

void lar_sight_closer(lar_sight *S, double lambda, const double *u, double *grad) {
  const lar_blocks *B = S->B;
  bool any = false;
  for (int64_t q = 0; q < B->n; q++) {
    if (!S->bound[q]) continue;
    if (lar_block_slack(B, q, guess(S, q), lambda) >= S->norm[q] * S->off) continue;
    S->bound[q] = false;
    mark(S, q);
    any = true;
  }
  if (any) take(S, u, grad);
}

void lar_sight_screen(lar_sight *S, const char *in, const double *grad, double share,
                      double radius) {
  const lar_blocks *B = S->B;
  if (B->kind == LAR_BLOCK_OTHER || !S->measured || !(radius < HUGE_VAL)) return;
  for (int64_t q = 0; q < B->n; q++) {
    if (in[q] || S->out[q] != IN) continue;
    const double far = radius + (S->bound[q] ? share * S->off : 0);
    for (int64_t i = B->start[q], k = 0; i < B->start[q + 1]; i++, k++)
      S->part[k] = share * grad[B->coord[i]];
    if (lar_block_slack(B, q, S->part, B->lambda) > S->norm[q] * far) S->out[q] = OUT;
  }
}
