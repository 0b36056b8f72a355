/* Where the model is a matrix, what is not 0 takes Newton's steps: a norm is smooth there. */
#include <string.h>

#include "core/mem.h"
#include "kern/flat.h"
#include "solver/model.h"

typedef struct step {
  int64_t m, *at;      /* positions that move */
  int64_t blocks, *of; /* blocks of theirs */
  double *b;           /* their coefficients before */
  double *turn;        /* by member: H times the step */
  double *A, *x;       /* m * m; m: slopes, then the step */
} step;

static bool smooth(const lar_blocks *B, int64_t i, double b) {
  return B->a[i] != HUGE_VAL && (b != 0 || B->a[i] == 0);
}

static lar_status begin(step *s, const lar_model *M, const int64_t *list, int64_t count,
                        const double *b) {
  const lar_blocks *B = M->blocks;
  void *v;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(M->quad.m + count) + 1, sizeof(int64_t)));
  s->at = v, s->of = s->at + M->quad.m;
  LAR_TRY(lar_alloc(&v, (size_t)(2 * M->quad.m) + 1, sizeof(double)));
  s->b = v, s->turn = s->b + M->quad.m;
  for (int64_t l = 0; l < count; l++) {
    const int64_t from = B->start[list[l]], to = B->start[list[l] + 1];
    bool any = false;
    for (int64_t i = from; i < to; i++) any = any || b[B->coord[i]] != 0;
    if (!any) continue;
    s->of[s->blocks++] = list[l];
    for (int64_t i = from; i < to; i++)
      if (smooth(B, i, b[B->coord[i]])) s->at[s->m++] = i;
  }
  LAR_TRY(lar_alloc(&v, (size_t)(s->m * (s->m + 1)) + 1, sizeof(double)));
  s->A = v, s->x = s->A + s->m * s->m;
  return LAR_OK;
}

static void shut(step *s) {
  lar_free(s->at);
  lar_free(s->b);
  lar_free(s->A);
}

static int64_t member(const lar_model *M, int64_t i) {
  return M->quad.place[M->blocks->coord[i]] - 1;
}

/* The norm of block q adds lambda w (1 - b b' / |b|^2) / |b|, and lambda w b / |b|. */
static void add_norm(step *s, const lar_model *M, int64_t q, const double *b) {
  const lar_blocks *B = M->blocks;
  double square = 0, *A = s->A;
  if (B->kind != LAR_BLOCK_NORM || B->norm[q] == 0) return;
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    square += b[B->coord[i]] * b[B->coord[i]];
  const double c = B->lambda * B->norm[q] / sqrt(square);
  for (int64_t k = 0; k < s->m; k++) {
    if (s->at[k] < B->start[q] || s->at[k] >= B->start[q + 1]) continue;
    const double one = b[B->coord[s->at[k]]];
    s->x[k] += c * one;
    A[k * s->m + k] += c;
    for (int64_t l = 0; l < s->m; l++)
      if (s->at[l] >= B->start[q] && s->at[l] < B->start[q + 1])
        A[k * s->m + l] -= c * one * b[B->coord[s->at[l]]] / square;
  }
}

static void fill(step *s, const lar_model *M, const double *b) {
  const lar_blocks *B = M->blocks;
  const lar_quad *quad = &M->quad;
  double *A = s->A, most = 0;
  for (int64_t k = 0; k < s->m; k++) {
    const int64_t i = s->at[k], c = member(M, i);
    const double one = b[B->coord[i]], a = one == 0 ? 0 : copysign(B->a[i], one);
    s->b[k] = one;
    s->x[k] = quad->slope[c] + B->lambda * (a + B->s[i] * one);
    for (int64_t l = 0; l < s->m; l++)
      A[k * s->m + l] = quad->gram[c * quad->cap + member(M, s->at[l])];
    A[k * s->m + k] += B->lambda * B->s[i];
  }
  for (int64_t l = 0; l < s->blocks; l++) add_norm(s, M, s->of[l], b);
  for (int64_t k = 0; k < s->m; k++) most = fmax(most, A[k * s->m + k]);
  for (int64_t k = 0; k < s->m; k++) A[k * s->m + k] += 1e-13 * most;
}

static lar_status penalty(const step *s, lar_model *M, const double *b, double *out) {
  const lar_blocks *B = M->blocks;
  *out = 0;
  for (int64_t l = 0; l < s->blocks; l++) {
    double one;
    for (int64_t i = B->start[s->of[l]], k = 0; i < B->start[s->of[l] + 1]; i++, k++)
      M->part[k] = b[B->coord[i]];
    LAR_TRY(lar_block_value(M->blocks, s->of[l], M->part, &one));
    *out += one;
  }
  return LAR_OK;
}

/* b - t x, where no coefficient that a corner holds at 0 crosses it. */
static bool go(const step *s, const lar_model *M, double t, double *b) {
  const lar_blocks *B = M->blocks;
  const double *x = s->x;
  bool kept = true;
  for (int64_t k = 0; k < s->m; k++) {
    const double next = s->b[k] - t * x[k];
    kept = kept && (B->a[s->at[k]] == 0 || next * s->b[k] > 0);
    b[B->coord[s->at[k]]] = next;
  }
  return kept;
}

/* What the model changes by for the step: t linear + t^2 square. */
static void measure(step *s, const lar_model *M, double *linear, double *square) {
  const lar_quad *quad = &M->quad;
  const double *x = s->x;
  *linear = *square = 0;
  for (int64_t k = 0; k < s->m; k++) {
    const int64_t c = member(M, s->at[k]);
    *linear -= x[k] * quad->slope[c];
    for (int64_t l = 0; l < quad->m; l++) s->turn[l] += x[k] * quad->gram[c * quad->cap + l];
  }
  for (int64_t k = 0; k < s->m; k++) *square += x[k] * s->turn[member(M, s->at[k])] / 2;
}

static lar_status descend(step *s, lar_model *M, double *b) {
  enum { HALVES = 8 };
  double linear, square, before, after, t = 1;
  LAR_TRY(penalty(s, M, b, &before));
  measure(s, M, &linear, &square);
  for (int half = 0; half < HALVES; half++, t /= 2) {
    const bool kept = go(s, M, t, b);
    LAR_TRY(penalty(s, M, b, &after));
    if (!kept || !(t * linear + t * t * square + after - before < 0)) continue;
    for (int64_t l = 0; l < M->quad.m; l++) M->quad.slope[l] -= t * s->turn[l];
    return LAR_OK;
  }
  go(s, M, 0, b);
  return LAR_OK;
}

lar_status lar_model_newton(lar_model *M, const int64_t *list, int64_t count, double *b) {
  step s = {0};
  if (M->blocks->kind == LAR_BLOCK_OTHER || M->blocks->lo != NULL) return LAR_OK;
  lar_status st = begin(&s, M, list, count, b);
  if (st == LAR_OK && s.m > 0) {
    fill(&s, M, b);
    if (lar_flat_cholesky(s.m, s.A, s.m)) {
      lar_flat_cholesky_solve(s.m, s.A, s.m, s.x);
      st = descend(&s, M, b);
    }
  }
  shut(&s);
  return st;
}
