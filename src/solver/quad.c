#include "solver/quad.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "kern/flat.h"

/* Columns of a block of rows do not start a power of two apart: they would meet in the cache.
 */
enum { FIRST = 16, BLOCK = 256, APART = BLOCK + 8, FEW = 4 };

lar_status lar_quad_open(lar_quad *q, const lar_design *x, bool centre) {
  void *v;
  *q = (lar_quad){.x = x, .centre = centre};
  LAR_TRY(lar_alloc(&v, (size_t)x->p + 1, sizeof *q->place));
  q->place = v;
  lar_status st = lar_alloc_raw(&v, (size_t)x->n + 1, sizeof *q->row);
  q->row = st == LAR_OK ? v : NULL;
  return st;
}

void lar_quad_close(lar_quad *q) {
  lar_free(q->place);
  lar_free(q->row);
  lar_free(q->at);
  lar_free(q->b);
  lar_free(q->gram);
  lar_factor_close(&q->factor);
  lar_free(q->step);
  lar_free(q->in);
  lar_quad_follow_clear(q);
  *q = (lar_quad){0};
}

static lar_status grow(lar_quad *q, int64_t cap) {
  void *at = NULL, *v = NULL, *gram = NULL;
  lar_status st = LAR_OK;
  if (cap > q->x->p) cap = q->x->p;
  LAR_GO(lar_alloc_raw(&at, (size_t)cap, sizeof *q->at));
  LAR_GO(lar_alloc_raw(&v, (size_t)cap * 4, sizeof(double)));
  if (!q->rows) LAR_GO(lar_alloc_raw(&gram, (size_t)(cap * cap), sizeof(double)));
  double *b = v, *g = gram;
  if (q->m > 0) {
    memcpy(at, q->at, (size_t)q->m * sizeof *q->at);
    memcpy(b, q->b, (size_t)q->m * sizeof *b);
    memcpy(b + cap, q->slope, (size_t)q->m * sizeof *b);
    memcpy(b + 2 * cap, q->mean, (size_t)q->m * sizeof *b);
    memcpy(b + 3 * cap, q->curve, (size_t)q->m * sizeof *b);
  }
  for (int64_t k = 0; k < q->m && q->gram != NULL; k++)
    memcpy(g + k * cap, q->gram + k * q->cap, (size_t)q->m * sizeof *g);
  lar_free(q->at);
  lar_free(q->b);
  lar_free(q->gram);
  q->at = at, q->b = b, q->slope = b + cap, q->mean = b + 2 * cap;
  q->curve = b + 3 * cap, q->gram = g;
  q->cap = cap;
  return LAR_OK;
done:
  lar_free(at);
  lar_free(v);
  lar_free(gram);
  return st;
}

lar_status lar_quad_whole(lar_quad *q, const double *gram) {
  int64_t p = q->x->p;
  if (p == 0) return LAR_OK;
  LAR_TRY(grow(q, p));
  for (int64_t j = 0; j < p; j++) LAR_TRY(lar_quad_add(q, j, 0, 0));
  memcpy(q->gram, gram, (size_t)(p * p) * sizeof *gram);
  for (int64_t j = 0; j < p; j++) q->curve[j] = gram[j * p + j];
  return LAR_OK;
}

lar_status lar_quad_add(lar_quad *q, int64_t j, double b, double slope) {
  if (q->m == q->cap) LAR_TRY(grow(q, q->cap == 0 ? FIRST : q->cap * 3 / 2));
  q->at[q->m] = j;
  q->b[q->m] = b;
  q->slope[q->m] = slope;
  q->mean[q->m] = 0;
  q->curve[q->m] = 1; /* until it is filled in */
  q->place[j] = (int32_t)++q->m;
  return LAR_OK;
}

void lar_quad_drop(lar_quad *q, const bool *keep) {
  int64_t m = 0;
  q->inside = q->factor.n = 0;
  for (int64_t k = 0; k < q->m; k++) {
    if (!keep[k]) {
      q->place[q->at[k]] = 0;
      continue;
    }
    int64_t i = 0;
    for (int64_t l = 0; l < q->m && q->gram != NULL; l++)
      if (keep[l]) q->gram[m * q->cap + i++] = q->gram[k * q->cap + l];
    q->at[m] = q->at[k], q->b[m] = q->b[k], q->slope[m] = q->slope[k];
    q->mean[m] = q->mean[k], q->curve[m] = q->curve[k];
    q->place[q->at[m]] = (int32_t)m + 1;
    m++;
  }
  q->m = m;
}

lar_status lar_quad_by_rows(lar_quad *q, bool rows) {
  void *v;
  if (q->rows == rows) return LAR_OK;
  lar_quad_follow_clear(q);
  lar_free(q->gram);
  lar_factor_close(&q->factor);
  q->gram = NULL;
  q->rows = rows;
  if (rows || q->cap == 0) return LAR_OK;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(q->cap * q->cap), sizeof(double)));
  q->gram = v;
  return LAR_OK;
}

/* ---- the Gram matrix ---- */

/* row = h (z_j - its mean in the metric h) */
static void weigh_column(lar_quad *q, int64_t k, const double *h, double weight) {
  const lar_design *x = q->x;
  int64_t j = q->at[k];
  double scale = lar_design_scale(x, j), mean = lar_design_mean(x, j), sum = 0;
  for (int64_t i = 0; i < x->n; i++) q->row[i] = 0;
  if (scale == 0) return;
  lar_design_axpy(x, j, 1 / scale, h, q->row);
  if (q->centre) {
    for (int64_t i = 0; i < x->n; i++) sum += q->row[i];
    mean = sum / weight;
    q->mean[k] = mean - lar_design_mean(x, j) / scale;
  } else {
    mean /= scale;
  }
  if (mean != 0)
    for (int64_t i = 0; i < x->n; i++) q->row[i] -= mean * h[i];
}

static lar_status by_columns(lar_quad *q, int64_t from, const double *h, double weight) {
  for (int64_t k = from; k < q->m; k++) {
    double sum = 0, *to = q->gram + k * q->cap;
    weigh_column(q, k, h, weight);
    for (int64_t i = 0; i < q->x->n; i++) sum += q->row[i];
    lar_design_tmul(q->x, q->row, sum, q->at, k + 1, to);
    for (int64_t l = 0; l < k; l++) q->gram[l * q->cap + k] = to[l];
    q->curve[k] = to[k];
  }
  return LAR_OK;
}

static void pack_rows(const lar_quad *q, int64_t from, int64_t k, const double *root,
                      int64_t row, int64_t n, double *to) {
  for (int64_t c = from; c < k; c++, to += APART) {
    lar_design_pack(q->x, q->at[c], row, n, q->mean[c], root + row, to);
  }
}

/* Means of members in the metric h, beyond those of the design. */
static void find_means(lar_quad *q, int64_t from, const double *h, double weight) {
  for (int64_t k = from; k < q->m; k++) {
    int64_t j = q->at[k];
    double scale = lar_design_scale(q->x, j);
    if (!q->centre || scale == 0) continue;
    double sum = lar_design_dot(q->x, j, h);
    q->mean[k] = (sum / weight - lar_design_mean(q->x, j)) / scale;
  }
}

static lar_status by_blocks(lar_quad *q, int64_t from, const double *h, double weight) {
  int64_t n = q->x->n, m = q->m, k = m - from;
  void *v;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(m * APART), sizeof(double)));
  double *pack = v, *corner = q->gram + from * q->cap;
  find_means(q, from, h, weight);
  for (int64_t i = 0; i < n; i++) q->row[i] = sqrt(h[i]);
  for (int64_t c = from; c < m; c++)
    memset(q->gram + c * q->cap, 0, (size_t)m * sizeof(double));
  for (int64_t row = 0; row < n; row += BLOCK) {
    int64_t rows = n - row < BLOCK ? n - row : BLOCK;
    pack_rows(q, 0, m, q->row, row, rows, pack);
    lar_flat_cross(rows, from, k, pack, APART, pack + from * APART, APART, corner, q->cap);
    lar_flat_square(rows, k, pack + from * APART, APART, corner + from, q->cap);
  }
  for (int64_t c = from; c < m; c++)
    for (int64_t l = 0; l < from; l++) q->gram[l * q->cap + c] = q->gram[c * q->cap + l];
  for (int64_t c = from; c < m; c++)
    for (int64_t l = c + 1; l < m; l++) q->gram[l * q->cap + c] = q->gram[c * q->cap + l];
  for (int64_t c = from; c < m; c++) q->curve[c] = q->gram[c * q->cap + c];
  lar_free(v);
  return LAR_OK;
}

/* Curvatures alone; mean as in find_means. */
static void measure(lar_quad *q, int64_t from, const double *h, double weight) {
  for (int64_t k = from; k < q->m; k++) {
    int64_t j = q->at[k];
    double one, two, scale = lar_design_scale(q->x, j), mean = lar_design_mean(q->x, j);
    q->curve[k] = 0;
    if (scale == 0) continue;
    lar_design_moments(q->x, j, h, &one, &two);
    if (q->centre) {
      q->mean[k] = (one / weight - mean) / scale;
      mean = one / weight;
    }
    q->curve[k] = fmax((two - 2 * mean * one + mean * mean * weight) / (scale * scale), 0);
  }
}

lar_status lar_quad_fill(lar_quad *q, int64_t from, const double *h, double weight) {
  if (q->rows) {
    measure(q, from, h, weight);
    return LAR_OK;
  }
  if (from == 0) q->factor.n = q->inside = 0;
  if (q->x->sparse != NULL || q->m - from < FEW) return by_columns(q, from, h, weight);
  return by_blocks(q, from, h, weight);
}

double lar_quad_jump(const lar_scalar *s, int64_t j, double old, double slope, double c) {
  double u = lar_scalar_prox(s, j, old - slope / c, 1 / c);
  if (old != 0 || u == 0 || (s->lo != NULL && (s->lo[j] > 0 || s->hi[j] < 0))) return u;
  double falls = -slope * u - c * u * u / 2 - lar_scalar_value(s, j, u);
  return falls > 1e-13 * fabs(slope * u) ? u : 0;
}
