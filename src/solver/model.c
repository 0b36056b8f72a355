#include "solver/model.h"

#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "solver/anderson.h"
#include "solver/centre.h"

/* Numbers in the second derivatives of a softmax that are kept: beyond, they are bounded. */
enum { MOST_PAIRS = 1 << 24 };

static bool shares(const lar_problem *g) {
  const unsigned both = LAR_FAM_MULTI | LAR_FAM_LABELS;
  return (g->family->traits & both) == both;
}

lar_status lar_model_open(lar_model *M, const lar_problem *g, lar_blocks *B) {
  const int64_t n = g->x->n, k = g->rows.k;
  const bool coupled = shares(g) && n * k <= MOST_PAIRS;
  const int64_t wide = coupled ? k : 1;
  void *p;
  *M = (lar_model){.g = g, .blocks = B, .now = 1, .coupled = coupled, .behind = -1};
  LAR_TRY(lar_alloc(&p,
                    (size_t)(3 * n * k + n + 2 * k + wide * (k + B->m) + 4 * B->largest) + 1,
                    sizeof(double)));
  M->u = p, M->h = M->u + n * k, M->ahead = M->h + n * k, M->scratch = M->ahead + n * k,
  M->shift = M->scratch + n;
  M->total = M->shift + k, M->curve = M->total + k, M->first = M->curve + wide * k;
  M->part = M->first + wide * B->m;
  if (coupled) {
    LAR_TRY(lar_alloc(&p, (size_t)(n * k * (k + 1) + n), sizeof(double)));
    M->pair = p, M->turn = M->pair + n * k * k, M->seen = M->turn + n * k;
  }
  if (g->family->joint != NULL) LAR_TRY(lar_quad_open(&M->quad, g->x, false));
  LAR_TRY(lar_alloc(&p, (size_t)B->n + 1, sizeof *M->gram));
  M->gram = p;
  LAR_TRY(lar_alloc(&p, (size_t)B->n + 1, sizeof *M->age));
  M->age = p;
  return LAR_OK;
}

void lar_model_close(lar_model *M) {
  for (int64_t q = 0; M->gram != NULL && q < M->blocks->n; q++) lar_free(M->gram[q]);
  lar_quad_close(&M->quad);
  lar_free(M->gram);
  lar_free(M->age);
  lar_free(M->pair);
  lar_free(M->u);
  *M = (lar_model){0};
}

/* H of a softmax from the probabilities p (n * k): h and pair. */
static void couple(lar_model *M, const double *p) {
  const int64_t n = M->g->x->n, k = M->g->rows.k;
  const double *w = M->g->rows.w;
  for (int64_t c = 0; c < k; c++)
    for (int64_t l = 0; l < k; l++) {
      double *out = c == l ? M->h + c * n : M->pair + (c * k + l) * n;
      const double *pc = p + c * n, *pl = p + l * n;
      for (int64_t i = 0; i < n; i++) out[i] = w[i] > 0 ? w[i] * pc[i] * ((c == l) - pl[i]) : 0;
    }
}

/* diag(p) - p p' is below 2 max_c p_c (1 - p_c) (Gershgorin): the same for all predictors. */
static void bound_rows(lar_model *M) {
  const int64_t n = M->g->x->n, k = M->g->rows.k;
  for (int64_t i = 0; i < n; i++) {
    double most = 0;
    for (int64_t l = 0; l < k; l++) most = fmax(most, 2 * M->h[l * n + i]);
    for (int64_t l = 0; l < k; l++) M->h[l * n + i] = most;
  }
}

void lar_model_curve(lar_model *M, const double *eta, double damp, double *room) {
  const lar_problem *g = M->g;
  const int64_t n = g->x->n, k = g->rows.k;
  double *h = M->h, c = g->family->bound != NULL ? g->family->bound(g->self) : 0;
  if (M->coupled) {
    g->family->response(g->self, n, k, eta, room);
    couple(M, room);
    for (int64_t i = 0; damp > 1 && i < n * k * k; i++) M->pair[i] *= damp;
  } else if (shares(g)) {
    bound_rows(M);
  }
  /* rows on a flat or straight piece still have a little curvature */
  const bool bounded = !M->coupled && c > 0 && c < HUGE_VAL;
  for (int64_t i = 0; bounded && i < n * k; i++) h[i] = fmax(h[i], 1e-3 * c * g->rows.w[i % n]);
  for (int64_t i = 0; damp > 1 && i < n * k; i++) h[i] *= damp;
}

void lar_model_renew(lar_model *M, bool h_too) {
  const int64_t n = M->g->x->n, k = M->g->rows.k;
  for (int64_t c = 0; c < k; c++) {
    M->shift[c] = 0;
    M->total[c] = lar_total(M->u + c * n, n);
    if (h_too && !M->coupled) M->curve[c] = lar_total(M->h + c * n, n);
    for (int64_t l = 0; h_too && M->coupled && l < k; l++)
      M->curve[c * k + l] = lar_total(lar_model_pair(M, c, l), n);
  }
  if (M->coupled) memset(M->turn, 0, (size_t)(n * k) * sizeof(double));
  if (h_too) M->now++;
}

lar_status lar_model_join(lar_model *M, const int64_t *list, int64_t count, const double *grad,
                          double damp) {
  enum { MOST = 2048 }; /* a matrix of 32 MB */
  const lar_blocks *B = M->blocks;
  lar_quad *q = &M->quad;
  int64_t m = 0;
  for (int64_t l = 0; l < count; l++) m += lar_block_size(B, list[l]);
  M->joint = m <= MOST;
  if (!M->joint) return LAR_OK;
  for (int64_t k = 0; k < q->m; k++) q->place[q->at[k]] = 0;
  q->m = 0;
  for (int64_t l = 0; l < count; l++)
    for (int64_t i = B->start[list[l]]; i < B->start[list[l] + 1]; i++)
      LAR_TRY(lar_quad_add(q, B->coord[i], 0, grad[B->coord[i]]));
  return lar_quad_joint(q, M->g, damp);
}

/* ---- second derivatives of a block ---- */

/* x_j'H_cl for position i = (j, c), and sum H_cl. */
static double first_of(const lar_model *M, int64_t i, int64_t c, int64_t l) {
  return M->coupled ? M->first[i * M->g->rows.k + l] : c == l ? M->first[i] : 0;
}

static double curve_of(const lar_model *M, int64_t c, int64_t l) {
  return M->coupled ? M->curve[c * M->g->rows.k + l] : c == l ? M->curve[c] : 0;
}

/* Column j of X times H_cl in the scratch, when there is not that already. */
typedef struct product {
  int64_t j, c, l;
} product;

static void form(lar_model *M, product *now, int64_t j, int64_t c, int64_t l) {
  if (now->j == j && now->c == c && now->l == l) return;
  memset(M->scratch, 0, (size_t)M->g->x->n * sizeof(double));
  lar_design_axpy(M->g->x, j, 1, lar_model_pair(M, c, l), M->scratch);
  *now = (product){j, c, l};
}

/* z_a'H z_b of two positions of block q. */
static double entry(lar_model *M, int64_t a, int64_t b, product *now) {
  const lar_design *x = M->g->x;
  const int64_t j = M->blocks->coord[a] % x->p, c = M->blocks->coord[a] / x->p;
  const int64_t i = M->blocks->coord[b] % x->p, l = M->blocks->coord[b] / x->p;
  double sa = lar_design_scale(x, j), sb = lar_design_scale(x, i), dot, unused;
  double ma = lar_design_mean(x, j), mb = lar_design_mean(x, i);
  if ((c != l && !M->coupled) || sa == 0 || sb == 0) return 0;
  if (i == j) {
    lar_design_moments(x, j, lar_model_pair(M, c, l), &unused, &dot);
  } else {
    form(M, now, j, c, l);
    dot = lar_design_dot(x, i, M->scratch);
  }
  dot += ma * mb * curve_of(M, c, l);
  return (dot - ma * first_of(M, b, l, c) - mb * first_of(M, a, c, l)) / (sa * sb);
}

/* The same feature in predictors that share h has the same second derivative. */
static bool single_feature(const lar_model *M, int64_t q) {
  const lar_blocks *B = M->blocks;
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    if (B->coord[i] % M->g->x->p != B->coord[B->start[q]] % M->g->x->p) return false;
  return M->alike && !M->coupled;
}

static void fill_first(lar_model *M, int64_t q) {
  const lar_blocks *B = M->blocks;
  const lar_design *x = M->g->x;
  const int64_t k = M->g->rows.k;
  bool same = single_feature(M, q);
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) {
    const int64_t j = B->coord[i] % x->p, c = B->coord[i] / x->p;
    double unused;
    if (!M->coupled && i > B->start[q] && same)
      M->first[i] = M->first[i - 1];
    else if (!M->coupled)
      lar_design_moments(x, j, M->h + c * x->n, &M->first[i], &unused);
    for (int64_t l = 0; M->coupled && l < k; l++)
      M->first[i * k + l] = lar_design_dot(x, j, lar_model_pair(M, c, l));
  }
}

static void fill_gram(lar_model *M, int64_t q, double *A) {
  const int64_t m = lar_block_size(M->blocks, q), start = M->blocks->start[q];
  product now = {-1, -1, -1};
  for (int64_t a = 0; a < m; a++)
    for (int64_t b = a; b < m; b++)
      A[a * m + b] = A[b * m + a] = entry(M, start + a, start + b, &now);
  if (now.j >= 0) memset(M->scratch, 0, (size_t)M->g->x->n * sizeof(double));
}

/* The member of H that position i is. */
static int64_t member(const lar_model *M, int64_t i) {
  return M->quad.place[M->blocks->coord[i]] - 1;
}

static void cut_out(const lar_model *M, int64_t q, double *A) {
  const int64_t m = lar_block_size(M->blocks, q), start = M->blocks->start[q];
  for (int64_t a = 0; a < m; a++)
    for (int64_t b = 0; b < m; b++)
      A[a * m + b] = M->quad.gram[member(M, start + a) * M->quad.cap + member(M, start + b)];
}

/* A of block q, made when it is first asked for: without the quadratic penalty. */
static lar_status gram_of(lar_model *M, int64_t q, double **out) {
  const int64_t m = lar_block_size(M->blocks, q), start = M->blocks->start[q];
  void *p;
  if (M->gram[q] == NULL) {
    LAR_TRY(lar_alloc(&p, (size_t)(m * m), sizeof(double)));
    M->gram[q] = p;
    M->age[q] = 0;
  }
  double *A = *out = M->gram[q];
  if (M->age[q] == M->now) return LAR_OK;
  M->age[q] = M->now;
  if (M->joint) return cut_out(M, q, A), LAR_OK;
  fill_first(M, q);
  if (m > 1 && single_feature(M, q)) {
    product now = {-1, -1, -1};
    A[0] = entry(M, start, start, &now);
    for (int64_t a = 1; a < m; a++) A[a * m + a] = A[0];
  } else {
    fill_gram(M, q, A);
  }
  return LAR_OK;
}

/* ---- slopes ---- */

/* The sum of the slopes of predictor c. */
static double slant(const lar_model *M, int64_t c) {
  double sum = M->total[c];
  if (!M->coupled) return sum + M->shift[c] * M->curve[c];
  for (int64_t l = 0; l < M->g->rows.k; l++) sum += M->shift[l] * curve_of(M, c, l);
  return sum;
}

/* Steps of one predictor reach the slopes of the others together, when these are asked for. */
static void catch_up(lar_model *M) {
  const int64_t n = M->g->x->n, c = M->behind;
  if (c < 0) return;
  const double *turn = M->turn + c * n, *seen = M->seen;
  for (int64_t l = 0; l < M->g->rows.k; l++) {
    const double *pair = lar_model_pair(M, c, l);
    double *u = M->u + l * n;
    for (int64_t i = 0; l != c && i < n; i++) u[i] += pair[i] * (turn[i] - seen[i]);
  }
  M->behind = -1;
}

static void lag(lar_model *M, int64_t c) {
  if (M->behind == c) return;
  catch_up(M);
  memcpy(M->seen, M->turn + c * M->g->x->n, (size_t)M->g->x->n * sizeof(double));
  M->behind = c;
}

/* How many positions of block q from i on are columns side by side of one predictor, or (then
 * *across) one column of predictors in a row. */
static int64_t run_of(const lar_model *M, int64_t q, int64_t i, bool *across) {
  const lar_blocks *B = M->blocks;
  const int64_t p = M->g->x->p, *coord = B->coord, end = B->start[q + 1];
  int64_t m = 1;
  *across = i + 1 < end && coord[i + 1] == coord[i] + p;
  const int64_t by = *across ? p : 1;
  while (i + m < end && coord[i + m] == coord[i] + m * by && (*across || coord[i + m] % p > 0))
    m++;
  return m;
}

/* Slopes of block q, less what rows do not have: out. */
static void slopes_of(const lar_model *M, int64_t q, double *out) {
  const lar_design *x = M->g->x;
  const int64_t start = M->blocks->start[q], end = M->blocks->start[q + 1];
  bool across;
  for (int64_t i = start; M->joint && i < end; i++)
    out[i - start] = M->quad.slope[member(M, i)];
  if (M->joint) return;
  for (int64_t i = start, m; i < end; i += m) {
    const int64_t j = M->blocks->coord[i] % x->p, c = M->blocks->coord[i] / x->p;
    const double *u = M->u + c * x->n;
    m = run_of(M, q, i, &across);
    if (across)
      lar_design_dot_each(x, j, m, u, out + (i - start));
    else
      lar_design_dots(x, j, m, u, out + (i - start));
  }
  for (int64_t i = start; i < end; i++) {
    const int64_t j = M->blocks->coord[i] % x->p, c = M->blocks->coord[i] / x->p;
    const double scale = lar_design_scale(x, j);
    double dot = out[i - start];
    if (!M->coupled) dot += M->shift[c] * M->first[i];
    for (int64_t l = 0; M->coupled && l < M->g->rows.k; l++)
      dot += M->shift[l] * first_of(M, i, c, l);
    out[i - start] = scale == 0 ? 0 : (dot - lar_design_mean(x, j) * slant(M, c)) / scale;
  }
}

/* Rows of predictor c follow steps e along the m columns from j on. */
static void turn(lar_model *M, int64_t j, int64_t c, int64_t m, const double *e) {
  const lar_design *x = M->g->x;
  for (int64_t l = M->coupled ? 0 : c; l < (M->coupled ? M->g->rows.k : c + 1); l++)
    if (l == c || M->behind != c)
      lar_design_axpys(x, j, m, e, lar_model_pair(M, c, l), M->u + l * x->n);
  if (M->coupled) lar_design_axpys(x, j, m, e, NULL, M->turn + c * x->n);
}

static void move_joint(lar_model *M, int64_t q, const double *by) {
  const int64_t start = M->blocks->start[q], end = M->blocks->start[q + 1];
  for (int64_t i = start; i < end; i++) {
    const double *column = M->quad.gram + member(M, i) * M->quad.cap;
    for (int64_t k = 0; k < M->quad.m; k++) M->quad.slope[k] += by[i - start] * column[k];
  }
}

/* Block q takes the steps `by`, which are spoilt. */
static void move(lar_model *M, int64_t q, double *by) {
  const lar_design *x = M->g->x;
  const int64_t start = M->blocks->start[q], end = M->blocks->start[q + 1];
  bool across;
  for (int64_t i = start; i < end; i++) {
    const int64_t j = M->blocks->coord[i] % x->p, c = M->blocks->coord[i] / x->p;
    if (by[i - start] == 0) continue;
    double e = by[i - start] /= lar_design_scale(x, j);
    for (int64_t l = M->coupled ? 0 : c; l < (M->coupled ? M->g->rows.k : c + 1); l++)
      M->total[l] += e * first_of(M, i, c, l);
    M->shift[c] -= e * lar_design_mean(x, j);
  }
  for (int64_t i = start, m; i < end; i += m) {
    const int64_t j = M->blocks->coord[i] % x->p, c = M->blocks->coord[i] / x->p;
    m = run_of(M, q, i, &across);
    if (!across) turn(M, j, c, m, by + (i - start));
    for (int64_t l = 0; across && l < m; l++) turn(M, j, c + l, 1, by + (i - start) + l);
  }
}

static void move_intercepts(lar_model *M, double *b0) {
  for (int64_t c = 0; M->g->intercept && c < M->g->rows.k; c++) {
    double curve = curve_of(M, c, c);
    if (!(curve > 0)) continue;
    double by = -slant(M, c) / curve;
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
  if (M->coupled && m == 1)
    lag(M, B->coord[start] / M->g->x->p);
  else
    catch_up(M);
  bool zero = true;
  for (int64_t k = 0; k < m; k++) {
    from[k] = b[B->coord[start + k]];
    zero = zero && from[k] == 0;
  }
  slopes_of(M, q, G);
  *off = 0;
  if (zero && lar_block_holds(B, q, G, B->lambda)) return LAR_OK;
  LAR_TRY(settle(M, q, A, from, G, to, off));
  bool moved = false;
  for (int64_t k = 0; k < m; k++) {
    b[B->coord[start + k]] = to[k];
    moved = moved || to[k] != from[k];
    from[k] = to[k] - from[k];
  }
  if (moved && M->joint) move_joint(M, q, from);
  if (moved && !M->joint) move(M, q, from);
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
  catch_up(M);
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
    if (round == FEW && !M->joint) LAR_GO(lar_anderson_open(&A, M, list, count, b));
    LAR_GO(sweep(M, list, count, true, b, b0, &most));
    if (most <= fine) break;
    if (M->joint) LAR_GO(lar_model_newton(M, list, count, b));
    if (round >= FEW && !M->joint) LAR_GO(lar_anderson_step(&A, M, b, b0));
  }
  lar_anderson_ahead(&A, M, b, b0);
done:
  lar_anderson_close(&A);
  return st;
}

lar_status lar_model_descend(lar_model *M, const int64_t *list, int64_t count, double fine,
                             int64_t limit, double *b, double *b0, int64_t *sweeps) {
  double most;
  int64_t done = 0;
  M->heading = false;
  do {
    LAR_TRY(sweep(M, list, count, false, b, b0, &most));
    done++;
    if (most > fine) LAR_TRY(cycle(M, list, count, fine, limit, b, b0, &done));
  } while (most > fine && done < limit && !lar_interrupt_pending());
  *sweeps += done;
  return LAR_OK;
}
