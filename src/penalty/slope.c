/* Sorted l1. The prox sorts magnitudes, takes off the weights of their ranks and pools what
 * then rises, with a stack of blocks: O(p log p) for the sort, O(p) for the rest. */
#include <math.h>
#include <stdlib.h>

#include "core/mem.h"
#include "penalty/penalty.h"

typedef struct slope {
  double sequence, q, theta;
} slope;

enum { BH, OSCAR };

static const lar_param schema[] = {
  {"sequence", offsetof(slope, sequence), BH, 0, 1, "how weights fall with the rank",
   LAR_CHOICE, "bh|oscar"},
  {"q", offsetof(slope, q), 0.1, LAR_ABOVE0, LAR_BELOW1,
   "of bh: level of the false discovery rate"},
  {"theta", offsetof(slope, theta), 0.1, 0.0, HUGE_VAL, "of oscar: fall from rank to rank"},
  {0},
};

/* ---- weights of ranks ---- */

/* z with upper tail probability p <= 1/2 of the normal distribution: a rational start
 * (Abramowitz & Stegun 26.2.23, 4.5e-4), then Halley's method on erfc. */
static double normal_upper(double p) {
  double s = sqrt(-2 * log(p));
  double z = s - (2.515517 + s * (0.802853 + s * 0.010328)) /
                   (1 + s * (1.432788 + s * (0.189269 + s * 0.001308)));
  for (int k = 0; k < 2; k++) {
    double off = erfc(z / sqrt(2.0)) / 2 - p, density = exp(-z * z / 2) / 2.5066282746310002;
    double d = off / density;
    z += d / (1 - z * d / 2);
  }
  return z > 0 ? z : 0;
}

static void ranks(const void *self, int64_t n, double *out) {
  const slope *p = self;
  for (int64_t k = 0; k < n; k++)
    out[k] = p->sequence == OSCAR ? 1 + p->theta * (double)(n - 1 - k)
                                  : normal_upper((double)(k + 1) * p->q / (2 * (double)n));
}

/* ---- sorting ---- */

typedef struct item {
  double size;
  int64_t at;
} item;

/* Falling; ties in order. */
static int compare(const void *x, const void *y) {
  const item *a = x, *b = y;
  if (a->size != b->size) return a->size > b->size ? -1 : 1;
  return (a->at > b->at) - (a->at < b->at);
}

static double get(const lar_tensor *w, int64_t j) {
  const void *data = lar_tensor_data(w);
  return w->dtype == LAR_F32 ? (double)((const float *)data)[j] : ((const double *)data)[j];
}

static void put(const lar_tensor *w, int64_t j, double v) {
  void *data = lar_tensor_data(w);
  if (w->dtype == LAR_F32)
    ((float *)data)[j] = (float)v;
  else
    ((double *)data)[j] = v;
}

/* Magnitudes in falling order, NaN as 0; *out is to be freed. */
static lar_status sorted(const lar_tensor *w, item **out, bool *has_nan) {
  int64_t n = lar_tensor_numel(w);
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc_raw(&p, (size_t)n + 1, sizeof(item)));
  item *x = *out = p;
  *has_nan = false;
  for (int64_t j = 0; j < n; j++) {
    double v = get(w, j);
    *has_nan = *has_nan || isnan(v);
    x[j] = (item){.size = isnan(v) ? 0 : fabs(v), .at = j};
  }
  qsort(x, (size_t)n, sizeof *x, compare);
  return LAR_OK;
}

/* ---- slots ---- */

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  const double *beta = lar_tensor_data(at->weight);
  bool has_nan;
  item *x;
  LAR_TRY(sorted(w, &x, &has_nan));
  *out = has_nan ? (double)NAN : 0;
  for (int64_t k = 0, n = lar_tensor_numel(w); k < n; k++) *out += beta[k] * x[k].size;
  *out *= at->l;
  lar_free(x);
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  const double *beta = lar_tensor_data(at->weight);
  bool has_nan;
  item *x;
  LAR_TRY(sorted(w, &x, &has_nan));
  for (int64_t k = 0, n = lar_tensor_numel(w); k < n && x[k].size > 0; k++) {
    int64_t j = x[k].at;
    put(g, j, get(g, j) + copysign(at->l * beta[k], get(w, j)));
  }
  lar_free(x);
  return LAR_OK;
}

/* A run of ranks that share one value. */
typedef struct block {
  int64_t begin, end;
  double sum;
} block;

static double mean(const block *b) { return b->sum / (double)(b->end - b->begin); }

/* x.size becomes the nearest falling sequence to x.size - t beta that is not negative. */
static void pool(item *x, int64_t n, const double *beta, double t, block *stack) {
  int64_t top = -1;
  for (int64_t k = 0; k < n; k++) {
    stack[++top] = (block){.begin = k, .end = k + 1, .sum = x[k].size - t * beta[k]};
    for (; top > 0 && mean(&stack[top]) >= mean(&stack[top - 1]); top--) {
      stack[top - 1].end = stack[top].end;
      stack[top - 1].sum += stack[top].sum;
    }
  }
  for (int64_t b = 0; b <= top; b++) {
    double u = mean(&stack[b]);
    for (int64_t k = stack[b].begin; k < stack[b].end; k++) x[k].size = u > 0 ? u : 0;
  }
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  int64_t n = lar_tensor_numel(w);
  bool has_nan;
  item *x;
  void *stack = NULL;
  lar_status st = sorted(w, &x, &has_nan);
  if (st == LAR_OK) st = lar_alloc_raw(&stack, (size_t)n + 1, sizeof(block));
  if (st == LAR_OK) {
    pool(x, n, lar_tensor_data(at->weight), step * at->l, stack);
    for (int64_t k = 0; k < n; k++) {
      double v = get(w, x[k].at);
      if (!isnan(v)) put(w, x[k].at, x[k].size == 0 ? 0 : copysign(x[k].size, v));
    }
  }
  lar_free(stack);
  lar_free(x);
  return st;
}

/* -g is a subgradient at 0 when no sum of its largest exceeds that of the weights. */
static lar_status at_max(const lar_pen_at *at, const lar_tensor *g, double *out) {
  const double *beta = lar_tensor_data(at->weight);
  double sum = 0, most = 0;
  bool has_nan;
  item *x;
  LAR_TRY(sorted(g, &x, &has_nan));
  *out = has_nan ? (double)NAN : 0;
  for (int64_t k = 0, n = lar_tensor_numel(g); k < n; k++) {
    sum += x[k].size;
    most += beta[k];
    if (sum > *out * most) *out = sum / most;
  }
  lar_free(x);
  return LAR_OK;
}

LAR_ENTRY(penalty, slope) = {
  .name = "slope",
  .doc = "sorted l1: greater weights cost more, alike ones become equal; controls discoveries",
  .source =
    "Bogdan et al. 2015, Ann. Appl. Stat. 9(3), algorithm 4; oscar: Bondell & Reich 2008, "
    "Biometrics 64(1)",
  .formula = "lambda sum_k beta_k |w|_(k) (beta: sequence, level q, fall theta)",
  .params = schema,
  .size = sizeof(slope),
  .traits = LAR_CONVEX | LAR_ABSOLUTE | LAR_EUCLIDEAN | LAR_FALLIBLE | LAR_RANKED | LAR_NORM,
  .ranks = ranks,
  .value = value,
  .grad = grad,
  .prox = prox,
  .at_max = at_max,
};
