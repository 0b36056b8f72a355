#include "solver/model.h"

#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/anderson.h"
#include "solver/centre.h"

lar_status lar_model_open(lar_model *M, const lar_problem *g, lar_blocks *B) {
  const int64_t n = g->x->n, k = g->rows.k;
  void *p;
  *M = (lar_model){.g = g, .blocks = B, .now = 1};
  LAR_TRY(
    lar_alloc(&p, (size_t)(2 * n * k + n + 3 * k + B->m + 4 * B->largest) + 1, sizeof(double)));
  M->u = p, M->h = M->u + n * k, M->scratch = M->h + n * k, M->shift = M->scratch + n;
  M->total = M->shift + k, M->curve = M->total + k, M->first = M->curve + k;
  M->part = M->first + B->m;
  LAR_TRY(lar_alloc(&p, (size_t)B->n + 1, sizeof *M->gram));
  M->gram = p;
  LAR_TRY(lar_alloc(&p, (size_t)B->n + 1, sizeof *M->age));
  M->age = p;
  return LAR_OK;
}

void lar_model_close(lar_model *M) {
  for (int64_t q = 0; M->gram != NULL && q < M->blocks->n; q++) lar_free(M->gram[q]);
  lar_free(M->gram);
  lar_free(M->age);
  lar_free(M->u);
  *M = (lar_model){0};
}

void lar_model_renew(lar_model *M, bool h_too) {
  const int64_t n = M->g->x->n;
  for (int64_t c = 0; c < M->g->rows.k; c++) {
    M->shift[c] = 0;
    M->total[c] = lar_total(M->u + c * n, n);
    if (h_too) M->curve[c] = lar_total(M->h + c * n, n);
  }
  if (h_too) M->now++;
}

/* ---- second derivatives of a block ---- */

/* Row a of the block's matrix: z_a'H z_b for b >= a in the same predictor. */
static void gram_row(lar_model *M, int64_t q, int64_t a, double *A) {
  const lar_blocks *B = M->blocks;
  const lar_design *x = M->g->x;
  const int64_t m = lar_block_size(B, q), *coord = B->coord + B->start[q];
  const int64_t j = coord[a] % x->p, c = coord[a] / x->p;
  const double *first = M->first + B->start[q], *h = M->h + c * x->n;
  double sa = lar_design_scale(x, j), ma = lar_design_mean(x, j), all = M->curve[c];
  bool dense = false;
  for (int64_t b = a; b < m; b++) {
    int64_t l = coord[b] % x->p;
    double sb = lar_design_scale(x, l), mb = lar_design_mean(x, l), dot, unused;
    A[a * m + b] = A[b * m + a] = 0;
    if (coord[b] / x->p != c || sa == 0 || sb == 0) continue;
    if (a == b) {
      lar_design_moments(x, j, h, &unused, &dot);
    } else {
      if (!dense) lar_design_axpy(x, j, 1, h, M->scratch);
      dense = true;
      dot = lar_design_dot(x, l, M->scratch);
    }
    A[a * m + b] = A[b * m + a] =
      (dot - ma * first[b] - mb * first[a] + ma * mb * all) / (sa * sb);
  }
  if (dense) memset(M->scratch, 0, (size_t)x->n * sizeof(double));
}

/* The same feature in predictors that share h has the same second derivative. */
static bool single_feature(const lar_model *M, int64_t q) {
  const lar_blocks *B = M->blocks;
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    if (B->coord[i] % M->g->x->p != B->coord[B->start[q]] % M->g->x->p) return false;
  return M->alike;
}

static void fill_first(lar_model *M, int64_t q) {
  const lar_blocks *B = M->blocks;
  const lar_design *x = M->g->x;
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) {
    double unused;
    if (i > B->start[q] && single_feature(M, q))
      M->first[i] = M->first[i - 1];
    else
      lar_design_moments(x, B->coord[i] % x->p, M->h + B->coord[i] / x->p * x->n, &M->first[i],
                         &unused);
  }
}

/* A of block q, made when it is first asked for: without the quadratic penalty. */
static lar_status gram_of(lar_model *M, int64_t q, double **out) {
  const int64_t m = lar_block_size(M->blocks, q);
  void *p;
  if (M->gram[q] == NULL) {
    LAR_TRY(lar_alloc(&p, (size_t)(m * m), sizeof(double)));
    M->gram[q] = p;
    M->age[q] = 0;
  }
  double *A = *out = M->gram[q];
  if (M->age[q] == M->now) return LAR_OK;
  M->age[q] = M->now;
  fill_first(M, q);
  gram_row(M, q, 0, A);
  bool same = single_feature(M, q);
  for (int64_t a = 1; a < m; a++) {
    if (!same) gram_row(M, q, a, A);
    if (same) memset(A + a * m, 0, (size_t)m * sizeof *A);
    if (same) A[a * m + a] = A[0];
  }
  return LAR_OK;
}

/* ---- slopes ---- */

static double slope_at(const lar_model *M, int64_t i) {
  const lar_design *x = M->g->x;
  const int64_t j = M->blocks->coord[i] % x->p, c = M->blocks->coord[i] / x->p;
  const double scale = lar_design_scale(x, j);
  if (scale == 0) return 0;
  double dot = lar_design_dot(x, j, M->u + c * x->n) + M->shift[c] * M->first[i];
  return (dot - lar_design_mean(x, j) * (M->total[c] + M->shift[c] * M->curve[c])) / scale;
}

static void move(lar_model *M, int64_t i, double by) {
  const lar_design *x = M->g->x;
  const int64_t j = M->blocks->coord[i] % x->p, c = M->blocks->coord[i] / x->p;
  double e = by / lar_design_scale(x, j);
  lar_design_axpy(x, j, e, M->h + c * x->n, M->u + c * x->n);
  M->total[c] += e * M->first[i];
  M->shift[c] -= e * lar_design_mean(x, j);
}

static void move_intercepts(lar_model *M, double *b0) {
  for (int64_t c = 0; M->g->intercept && c < M->g->rows.k; c++) {
    if (!(M->curve[c] > 0)) continue;
    double by = -M->total[c] / M->curve[c] - M->shift[c];
    M->shift[c] += by;
    b0[c] += by;
  }
}

/* ---- a block ---- */

/* A number above the greatest eigenvalue. */
static double above(const double *A, int64_t m) {
  double rows = 0, trace = 0;
  for (int64_t a = 0; a < m; a++) {
    double sum = 0;
    for (int64_t b = 0; b < m; b++) sum += fabs(A[a * m + b]);
    rows = fmax(rows, sum);
    trace += A[a * m + a];
  }
  return fmin(rows, trace);
}

/* Proximal steps on the block's own quadratic from `from` (slope G), into `to`; *off: how far
 * from the optimum it was. */
static lar_status settle(lar_model *M, int64_t q, const double *A, const double *from,
                         const double *G, double *to, double *off) {
  enum { STEPS = 10 };
  lar_blocks *B = M->blocks;
  const int64_t m = lar_block_size(B, q);
  const double *s = B->s + B->start[q];
  double rate = above(A, m), ridge = 0, *next = M->part + 3 * B->largest;
  for (int64_t a = 0; a < m; a++) ridge = fmax(ridge, B->lambda * s[a]);
  rate += ridge;
  *off = 0;
  memcpy(to, from, (size_t)m * sizeof *to);
  if (!(rate > 0)) return LAR_OK;
  for (int step = 0; step < STEPS; step++) {
    double square = 0;
    for (int64_t a = 0; a < m; a++) {
      double slope = G[a] + B->lambda * s[a] * to[a];
      for (int64_t b = 0; b < m; b++) slope += A[a * m + b] * (to[b] - from[b]);
      next[a] = to[a] - slope / rate;
    }
    LAR_TRY(lar_block_prox(B, q, 1 / rate, next));
    for (int64_t a = 0; a < m; a++) {
      square += (next[a] - to[a]) * (next[a] - to[a]);
      to[a] = next[a];
    }
    if (step == 0) *off = rate * sqrt(square);
    if (m == 1 || rate * sqrt(square) <= 0.02 * *off) break;
  }
  return LAR_OK;
}

static lar_status visit(lar_model *M, int64_t q, double *b, double *off) {
  lar_blocks *B = M->blocks;
  const int64_t m = lar_block_size(B, q), start = B->start[q];
  double *from = M->part, *to = from + B->largest, *G = to + B->largest, *A;
  LAR_TRY(gram_of(M, q, &A));
  bool zero = true;
  for (int64_t k = 0; k < m; k++) {
    from[k] = b[B->coord[start + k]];
    zero = zero && from[k] == 0;
    G[k] = slope_at(M, start + k);
  }
  *off = 0;
  if (zero && lar_block_holds(B, q, G, B->lambda)) return LAR_OK;
  LAR_TRY(settle(M, q, A, from, G, to, off));
  for (int64_t k = 0; k < m; k++) {
    if (to[k] == from[k]) continue;
    move(M, start + k, to[k] - from[k]);
    b[B->coord[start + k]] = to[k];
  }
  return LAR_OK;
}

static bool empty(const lar_blocks *B, int64_t q, const double *b) {
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    if (b[B->coord[i]] != 0) return false;
  return true;
}

/* One pass over the listed blocks, or over those of them that are not 0. */
static lar_status sweep(lar_model *M, const int64_t *list, int64_t count, bool active,
                        double *b, double *b0, double *most) {
  *most = 0;
  for (int64_t l = 0; l < count; l++) {
    double off;
    if (active && empty(M->blocks, list[l], b)) continue;
    LAR_TRY(visit(M, list[l], b, &off));
    *most = fmax(*most, off);
  }
  move_intercepts(M, b0);
  return LAR_OK;
}

/* Sweeps over the blocks that are not 0 until they are settled. */
static lar_status cycle(lar_model *M, const int64_t *list, int64_t count, double fine,
                        int64_t limit, double *b, double *b0, int64_t *done) {
  enum { FEW = 3 };
  lar_anderson A = {0};
  lar_status st = LAR_OK;
  double most = HUGE_VAL;
  for (int64_t round = 0; *done < limit && !lar_interrupt_pending(); round++, ++*done) {
    if (round == FEW) LAR_GO(lar_anderson_open(&A, M, list, count, b));
    LAR_GO(sweep(M, list, count, true, b, b0, &most));
    if (most <= fine) break;
    if (round >= FEW) LAR_GO(lar_anderson_step(&A, M, b, b0));
  }
done:
  lar_anderson_close(&A);
  return st;
}

lar_status lar_model_descend(lar_model *M, const int64_t *list, int64_t count, double fine,
                             int64_t limit, double *b, double *b0, int64_t *sweeps) {
  double most;
  int64_t done = 0;
  do {
    LAR_TRY(sweep(M, list, count, false, b, b0, &most));
    done++;
    if (most > fine) LAR_TRY(cycle(M, list, count, fine, limit, b, b0, &done));
  } while (most > fine && done < limit && !lar_interrupt_pending());
  *sweeps += done;
  return LAR_OK;
}
