#include "kern/loop.h"

#include "core/par.h"

/* Merge dimension d + 1 into d where every operand steps evenly across both. */
static bool mergeable(const lar_loop *l, int d) {
  for (int k = 0; k < l->n; k++)
    if (l->stride[k][d] != l->stride[k][d + 1] * l->shape[d + 1]) return false;
  return true;
}

static void drop(lar_loop *l, int d) {
  for (int e = d; e + 1 < l->ndim; e++) {
    l->shape[e] = l->shape[e + 1];
    for (int k = 0; k < l->n; k++) l->stride[k][e] = l->stride[k][e + 1];
  }
  l->ndim--;
}

void lar_loop_init(lar_loop *l, int n, const lar_tensor *const *t) {
  l->n = n;
  l->ndim = t[0]->ndim;
  for (int d = 0; d < l->ndim; d++) l->shape[d] = t[0]->shape[d];
  for (int k = 0; k < n; k++) {
    l->base[k] = lar_tensor_data(t[k]);
    l->size[k] = lar_dtype_size(t[k]->dtype);
    for (int d = 0; d < l->ndim; d++) l->stride[k][d] = t[k]->stride[d];
  }
  for (int d = l->ndim - 1; d >= 0 && l->ndim > 1; d--)
    if (l->shape[d] == 1) drop(l, d);
  for (int d = l->ndim - 2; d >= 0; d--)
    if (mergeable(l, d)) {
      l->shape[d + 1] *= l->shape[d];
      drop(l, d);
    }
  if (l->ndim == 0) { /* a scalar is a row of one */
    l->ndim = 1;
    l->shape[0] = 1;
    for (int k = 0; k < n; k++) l->stride[k][0] = 1;
  }
}

typedef struct job {
  const lar_loop *l;
  lar_loop_body *body;
  void *ctx;
  int64_t piece, pieces; /* a long row is cut into `pieces` of `piece` elements */
} job;

/* The addresses of a row, and its place. */
static void go_to(const lar_loop *l, int64_t row, char **p, int64_t *at) {
  for (int k = 0; k < l->n; k++) p[k] = l->base[k];
  for (int d = l->ndim - 2; d >= 0; d--) {
    at[d] = row % l->shape[d];
    row /= l->shape[d];
    for (int k = 0; k < l->n; k++) p[k] += at[d] * l->stride[k][d] * (int64_t)l->size[k];
  }
}

static void go_on(const lar_loop *l, char **p, int64_t *at) {
  for (int d = l->ndim - 2; d >= 0; d--) {
    bool whole = ++at[d] == l->shape[d];
    int64_t by = whole ? 1 - l->shape[d] : 1;
    for (int k = 0; k < l->n; k++) p[k] += by * l->stride[k][d] * (int64_t)l->size[k];
    if (!whole) return;
    at[d] = 0;
  }
}

static void whole_rows(const job *j, int64_t begin, int64_t end) {
  const lar_loop *l = j->l;
  int last = l->ndim - 1;
  char *p[LAR_LOOP_OPERANDS];
  int64_t step[LAR_LOOP_OPERANDS], at[LAR_MAX_NDIM];
  for (int k = 0; k < l->n; k++) step[k] = l->stride[k][last];
  go_to(l, begin, p, at);
  for (int64_t i = begin; i < end; i++, go_on(l, p, at))
    j->body(j->ctx, l->shape[last], p, step);
}

static void pieces(const job *j, int64_t begin, int64_t end) {
  const lar_loop *l = j->l;
  int last = l->ndim - 1;
  char *p[LAR_LOOP_OPERANDS];
  int64_t step[LAR_LOOP_OPERANDS], at[LAR_MAX_NDIM];
  for (int k = 0; k < l->n; k++) step[k] = l->stride[k][last];
  for (int64_t i = begin; i < end; i++) {
    int64_t from = (i % j->pieces) * j->piece;
    int64_t n = l->shape[last] - from < j->piece ? l->shape[last] - from : j->piece;
    go_to(l, i / j->pieces, p, at);
    for (int k = 0; k < l->n; k++) p[k] += from * step[k] * (int64_t)l->size[k];
    j->body(j->ctx, n, p, step);
  }
}

static void rows(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  (j->pieces == 1 ? whole_rows : pieces)(j, begin, end);
}

void lar_loop_run(const lar_loop *l, lar_loop_body *body, void *ctx) {
  int64_t row = l->shape[l->ndim - 1], outer = lar_shape_numel(l->ndim - 1, l->shape);
  if (row == 0 || outer == 0) return;
  job j = {l, body, ctx, .piece = row, .pieces = 1};
  int64_t most = lar_loop_grain(row * outer);
  if (row > most) {
    j.piece = most;
    j.pieces = (row + j.piece - 1) / j.piece;
  }
  int64_t grain = most / j.piece;
  lar_par_for(outer * j.pieces, grain > 0 ? grain : 1, rows, &j);
}

void lar_loop_run_ordered(const lar_loop *l, lar_loop_body *body, void *ctx) {
  int64_t row = l->shape[l->ndim - 1], outer = lar_shape_numel(l->ndim - 1, l->shape);
  if (row == 0 || outer == 0) return;
  job j = {l, body, ctx, .piece = row, .pieces = 1};
  rows(&j, 0, outer);
}
