#include "solver/blocks.h"

static void gather(const lar_blocks *B, int64_t q, const double *grad, double *part) {
  for (int64_t i = B->start[q], k = 0; i < B->start[q + 1]; i++, k++)
    part[k] = grad[B->coord[i]];
}

/* F*(s u) less what the offset adds. */
static double of_loss(const lar_problem *g, const double *u, double s, double *rows) {
  const int64_t n = g->x->n * g->rows.k;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    rows[i] = s * u[i];
    if (g->offset != NULL && g->rows.w[i % g->x->n] > 0) sum -= rows[i] * g->offset[i];
  }
  return sum + g->family->conjugate(g->self, &g->rows, rows);
}

/* Of squared loss F*(s u) is a s^2 + b s, and its least is known. */
static double best_of_squares(const lar_problem *g, const double *u, double most,
                              double *rows) {
  const double one = of_loss(g, u, 1, rows), two = of_loss(g, u, 2, rows);
  const double a = (two - 2 * one) / 2, b = one - a, best = a > 0 ? -b / (2 * a) : 1;
  return best > 0 ? fmin(best, most) : 0;
}

static bool quadratic_part(const lar_blocks *B) {
  for (int64_t i = 0; i < B->m; i++)
    if (B->s[i] != 0) return true;
  return false;
}

lar_status lar_blocks_dual(lar_blocks *B, const lar_problem *g, const double *u,
                           const double *grad, double *rows, double *part, double *share,
                           double *out) {
  const bool squares = (g->family->traits & LAR_FAM_QUADRATIC) != 0 && !quadratic_part(B);
  double sum = 0, s = squares ? 2 : 1;
  *share = 1;
  *out = (double)NAN;
  if (!B->dual || B->lambda == 0 || g->family->conjugate == NULL) return LAR_OK;
  for (int64_t q = 0; q < B->n; q++) {
    if (lar_block_free(B, q)) return LAR_OK;
    gather(B, q, grad, part);
    s = lar_block_scale(B, q, part, s);
  }
  if (squares) s = best_of_squares(g, u, s, rows);
  for (int64_t q = 0; q < B->n && !squares; q++) {
    double one;
    gather(B, q, grad, part);
    LAR_TRY(lar_block_conjugate(B, q, part, s, &one));
    sum += one;
  }
  *share = s;
  *out = -(sum + of_loss(g, u, s, rows));
  return LAR_OK;
}
