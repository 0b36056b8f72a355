#include "solver/anderson.h"

#include <string.h>

#include "core/mem.h"

/* A state by rows: u, of every predictor total, shift and intercept, and turn. */
static int64_t rows_of(const lar_model *M) {
  return ((M->coupled ? 2 : 1) * M->g->x->n + 3) * M->g->rows.k;
}

static bool empty(const lar_blocks *B, int64_t q, const double *b) {
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    if (b[B->coord[i]] != 0) return false;
  return true;
}

lar_status lar_anderson_open(lar_anderson *A, const lar_model *M, const int64_t *list,
                             int64_t count, const double *b) {
  const lar_blocks *B = M->blocks;
  const int64_t states = LAR_ANDERSON + 1;
  void *p;
  *A = (lar_anderson){.rows = rows_of(M)};
  for (int64_t l = 0; l < count; l++)
    if (!empty(B, list[l], b)) {
      A->blocks++;
      A->count += lar_block_size(B, list[l]);
    }
  LAR_TRY(lar_alloc_raw(&p, (size_t)(A->blocks + A->count) + 1, sizeof(int64_t)));
  A->list = p, A->at = A->list + A->blocks;
  size_t room = (size_t)((states + 1) * (A->count + A->rows) + B->largest) + 1;
  lar_status st = lar_alloc_raw(&p, room, sizeof(double));
  if (st != LAR_OK) {
    lar_anderson_close(A);
    return st;
  }
  A->b = p, A->u = A->b + states * A->count, A->next = A->u + states * A->rows;
  A->block = A->next + A->count + A->rows;
  int64_t blocks = 0, m = 0;
  for (int64_t l = 0; l < count; l++) {
    int64_t q = list[l];
    if (empty(B, q, b)) continue;
    A->list[blocks++] = q;
    for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) A->at[m++] = B->coord[i];
  }
  return LAR_OK;
}

void lar_anderson_close(lar_anderson *A) {
  lar_free(A->list);
  lar_free(A->b);
  *A = (lar_anderson){0};
}

static void store(const lar_anderson *A, const lar_model *M, const double *b, const double *b0,
                  double *to_b, double *to_u) {
  const int64_t k = M->g->rows.k, n = M->g->x->n * k;
  const size_t each = (size_t)k * sizeof *b;
  for (int64_t i = 0; i < A->count; i++) to_b[i] = b[A->at[i]];
  memcpy(to_u, M->u, (size_t)n * sizeof *b);
  memcpy(to_u + n, M->total, each);
  memcpy(to_u + n + k, M->shift, each);
  memcpy(to_u + n + 2 * k, b0, each);
  if (M->coupled) memcpy(to_u + n + 3 * k, M->turn, (size_t)n * sizeof *b);
}

static void restore(const lar_anderson *A, lar_model *M, double *b, double *b0,
                    const double *from_b, const double *from_u) {
  const int64_t k = M->g->rows.k, n = M->g->x->n * k;
  const size_t each = (size_t)k * sizeof *b;
  for (int64_t i = 0; i < A->count; i++) b[A->at[i]] = from_b[i];
  memcpy(M->u, from_u, (size_t)n * sizeof *b);
  memcpy(M->total, from_u + n, each);
  memcpy(M->shift, from_u + n + k, each);
  memcpy(b0, from_u + n + 2 * k, each);
  if (M->coupled) memcpy(M->turn, from_u + n + 3 * k, (size_t)n * sizeof *b);
}

/* The model of one predictor where H is diagonal: what u has gained is h d. */
static double plain(const lar_model *M, int64_t c, const double *u) {
  const int64_t n = M->g->x->n, k = M->g->rows.k;
  const double shift = u[n * k + k + c], *h = M->h + c * n, *old = M->origin + c * n;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    double d = h[i] > 0 ? (u[c * n + i] - old[i]) / h[i] + shift : 0;
    sum += d * (old[i] + h[i] * d / 2);
  }
  return sum;
}

/* Of one where it is not: d is kept, and u less what it was is H d but for shift. */
static double coupled(const lar_model *M, int64_t c, const double *u) {
  const int64_t n = M->g->x->n, k = M->g->rows.k;
  const double *shift = u + n * k + k, *turn = u + n * k + 3 * k + c * n;
  const double *old = M->origin + c * n;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += (turn[i] + shift[c]) * (old[i] + u[c * n + i]) / 2;
  for (int64_t l = 0; l < k; l++) {
    const double *pair = lar_model_pair(M, c, l);
    double dot = 0;
    for (int64_t i = 0; i < n; i++) dot += (turn[i] + shift[c]) * pair[i];
    sum += shift[l] * dot / 2;
  }
  return sum;
}

/* The model and the penalty of the blocks followed, at a state. */
static lar_status objective(lar_anderson *A, lar_model *M, const double *b, const double *u,
                            double *out) {
  double sum = 0;
  for (int64_t c = 0; c < M->g->rows.k; c++)
    sum += M->coupled ? coupled(M, c, u) : plain(M, c, u);
  for (int64_t l = 0, i = 0; l < A->blocks; l++) {
    double one;
    LAR_TRY(lar_block_value(M->blocks, A->list[l], b + i, &one));
    i += lar_block_size(M->blocks, A->list[l]);
    sum += one;
  }
  *out = sum;
  return LAR_OK;
}

/* Weights of K differences that sum to 1 and make the weighted sum small; false: none. */
static bool weigh(const lar_anderson *A, int K, double *weight) {
  double G[LAR_ANDERSON][LAR_ANDERSON], x[LAR_ANDERSON], trace = 0, sum = 0;
  for (int a = 0; a < K; a++)
    for (int c = 0; c <= a; c++) {
      const double *p = A->b + a * A->count, *q = A->b + c * A->count;
      double dot = 0;
      for (int64_t i = 0; i < A->count; i++)
        dot += (p[A->count + i] - p[i]) * (q[A->count + i] - q[i]);
      G[a][c] = G[c][a] = dot;
    }
  for (int a = 0; a < K; a++) trace += G[a][a];
  for (int a = 0; a < K; a++) {
    G[a][a] += 1e-12 * trace;
    x[a] = 1;
  }
  for (int c = 0; c < K; c++) { /* elimination: G is positive definite */
    if (!(G[c][c] > 0)) return false;
    for (int r = c + 1; r < K; r++) {
      double f = G[r][c] / G[c][c];
      for (int d = c; d < K; d++) G[r][d] -= f * G[c][d];
      x[r] -= f * x[c];
    }
  }
  for (int c = K - 1; c >= 0; c--) {
    for (int d = c + 1; d < K; d++) x[c] -= G[c][d] * x[d];
    x[c] /= G[c][c];
    sum += x[c];
  }
  for (int c = 0; c < K; c++) weight[c] = x[c] / sum;
  return isfinite(sum) && fabs(sum) > 0;
}

static void combine(const double *weight, int K, const double *from, int64_t m, double *to) {
  memset(to, 0, (size_t)m * sizeof *to);
  for (int a = 0; a < K; a++)
    for (int64_t i = 0; i < m; i++) to[i] += weight[a] * from[(a + 1) * m + i];
}

lar_status lar_anderson_step(lar_anderson *A, lar_model *M, double *b, double *b0) {
  enum { K = LAR_ANDERSON };
  double weight[K], now, then, *next_u = A->next + A->count;
  store(A, M, b, b0, A->b + A->held * A->count, A->u + A->held * A->rows);
  if (A->held++ < K) return LAR_OK;
  A->held = 0;
  if (!weigh(A, K, weight)) return LAR_OK;
  combine(weight, K, A->b, A->count, A->next);
  combine(weight, K, A->u, A->rows, next_u);
  LAR_TRY(objective(A, M, A->b + K * A->count, A->u + K * A->rows, &now));
  LAR_TRY(objective(A, M, A->next, next_u, &then));
  if (then < now) restore(A, M, b, b0, A->next, next_u);
  return LAR_OK;
}

void lar_anderson_ahead(lar_anderson *A, lar_model *M, const double *b, const double *b0) {
  enum { LEAST = 3 };
  const int64_t n = M->g->x->n, k = M->g->rows.k;
  double weight[LAR_ANDERSON], *next_u = A->next + A->count, *shift = next_u + n * k + k;
  M->heading = false;
  if (A->held < LEAST || M->coupled) return;
  store(A, M, b, b0, A->b + A->held * A->count, A->u + A->held * A->rows);
  if (!weigh(A, A->held, weight)) return;
  combine(weight, A->held, A->u, A->rows, next_u);
  for (int64_t c = 0; c < k; c++)
    for (int64_t i = 0; i < n; i++)
      M->ahead[c * n + i] = next_u[c * n + i] + shift[c] * M->h[c * n + i];
  M->heading = true;
}
