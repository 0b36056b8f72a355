/* Rows and columns have an exact prox each. The prox of their sum by proximal gradient descent
 * on the dual of the columns, which are what is left of v when the rows have had their prox:
 *   x = prox_rows(v - q), z = prox_columns(x + q), q = x + q - z, until x = z,
 * with Nesterov's momentum on q, given up where it points uphill. Without momentum these are
 * Dykstra's corrections. Over the last two dimensions, for each matrix of a kernel. */
#include "core/mem.h"
#include "kern/copy.h"
#include "penalty/penalty.h"
#include "penalty/tv.h"

enum { CYCLES = 20000 };
static const double FINE = 1e-12, COARSE = 1e-11;

typedef struct none {
  char unused;
} none;

/* (matrices, rows, columns); a vector is one row. */
static lar_tensor blocks(const lar_tensor *w) {
  lar_tensor b = *w; /* a view: not to be cleared */
  int64_t n = lar_tensor_numel(w), columns = w->ndim > 0 ? w->shape[w->ndim - 1] : 1;
  int64_t rows = w->ndim > 1 ? w->shape[w->ndim - 2] : 1, each = rows * columns;
  b.ndim = 3;
  b.shape[0] = each > 0 ? n / each : 0, b.shape[1] = rows, b.shape[2] = columns;
  lar_shape_strides(3, b.shape, b.stride);
  return b;
}

static lar_tensor turned(const lar_tensor *b) {
  lar_tensor t = *b;
  t.shape[1] = b->shape[2], t.shape[2] = b->shape[1];
  t.stride[1] = b->stride[2], t.stride[2] = b->stride[1];
  return t;
}

static lar_status value(const lar_pen_at *at, const lar_tensor *w, double *out) {
  lar_tensor b = blocks(w), t = turned(&b), columns = {0};
  LAR_TRY(lar_contiguous(&columns, &t, w->dtype));
  *out = at->l * (lar_tv_value(&b) + lar_tv_value(&columns));
  lar_tensor_clear(&columns);
  return LAR_OK;
}

static lar_status grad(const lar_pen_at *at, const lar_tensor *w, const lar_tensor *g) {
  lar_tensor b = blocks(w), t = turned(&b), gb = blocks(g), gt = turned(&gb);
  lar_tensor columns = {0}, slopes = {0};
  lar_status st = lar_clone(&columns, &t, w->dtype);
  if (st == LAR_OK) st = lar_clone(&slopes, &gt, g->dtype);
  if (st == LAR_OK) {
    lar_tv_grad(&columns, at->l, &slopes);
    st = lar_copy(&gt, &slopes);
    lar_tv_grad(&b, at->l, &gb);
  }
  lar_tensor_clear(&columns);
  lar_tensor_clear(&slopes);
  return st;
}

/* V and X lie in rows; the other places are (matrices, columns, rows). */
enum { V, X, XT, Z, Q, AHEAD, PLACES };

typedef struct work {
  lar_tensor at[PLACES], turned; /* float64; turned: X as the others lie */
  double l, step, weight;        /* of the momentum */
} work;

static double *data(const work *k, int place) { return lar_tensor_data(&k->at[place]); }

/* XT = prox_rows(v - ahead), Z = prox_columns(XT + ahead). */
static lar_status proxes(const work *k) {
  int64_t n = lar_tensor_numel(&k->at[X]);
  double *x = data(k, X), *xt = data(k, XT), *z = data(k, Z);
  const double *v = data(k, V), *ahead = data(k, AHEAD);
  LAR_TRY(lar_copy(&k->turned, &k->at[AHEAD]));
  for (int64_t i = 0; i < n; i++) x[i] = v[i] - x[i];
  LAR_TRY(lar_tv_prox(&k->at[X], k->l, k->step, NULL, 0));
  LAR_TRY(lar_copy(&k->at[XT], &k->turned));
  for (int64_t i = 0; i < n; i++) z[i] = xt[i] + ahead[i];
  return lar_tv_prox(&k->at[Z], k->l, k->step, NULL, 0);
}

/* q = ahead + x - z, and ahead of it by the momentum; how far x is from z. */
static double advance(work *k) {
  int64_t n = lar_tensor_numel(&k->at[X]);
  double *q = data(k, Q), *ahead = data(k, AHEAD), apart = 0, uphill = 0;
  const double *x = data(k, XT), *z = data(k, Z);
  double next = (1 + sqrt(1 + 4 * k->weight * k->weight)) / 2;
  for (int64_t i = 0; i < n; i++) uphill += (z[i] - x[i]) * (ahead[i] + x[i] - z[i] - q[i]);
  if (uphill > 0) next = 1;
  double beta = uphill > 0 ? 0 : (k->weight - 1) / next;
  for (int64_t i = 0; i < n; i++) {
    double gap = x[i] - z[i], to = ahead[i] + gap;
    apart = fabs(gap) > apart ? fabs(gap) : apart;
    ahead[i] = to + beta * (to - q[i]);
    q[i] = to;
  }
  k->weight = next;
  return apart;
}

static lar_status split(work *k, double scale) {
  double apart = 0;
  k->weight = 1;
  for (int cycle = 0; cycle < CYCLES; cycle++) {
    LAR_TRY(proxes(k));
    apart = advance(k);
    if (!(apart > FINE * scale)) return LAR_OK;
  }
  return apart <= COARSE * scale
           ? LAR_OK
           : lar_fail(LAR_EMATH, "tv2d: still moves by %g after %d rounds", apart, (int)CYCLES);
}

static lar_status prepare(work *k, const lar_tensor *b) {
  lar_tensor t = turned(b);
  for (int p = 0; p < PLACES; p++)
    LAR_TRY(lar_tensor_zeros(&k->at[p], LAR_F64, 3, p <= X ? b->shape : t.shape));
  k->turned = turned(&k->at[X]);
  return lar_copy(&k->at[V], b);
}

static bool all_finite(const double *x, int64_t n, double *scale) {
  double sum = 0;
  *scale = 0;
  for (int64_t i = 0; i < n; i++) {
    sum += x[i] * 0;
    *scale = fabs(x[i]) > *scale ? fabs(x[i]) : *scale;
  }
  return sum == 0;
}

static lar_status prox(const lar_pen_at *at, const lar_tensor *w, double step,
                       const lar_tensor *metric) {
  lar_tensor b = blocks(w);
  work k = {.l = at->l, .step = step};
  double scale = 0;
  if (lar_tensor_numel(w) == 0) return LAR_OK;
  lar_status st = prepare(&k, &b);
  if (st == LAR_OK && !all_finite(data(&k, V), lar_tensor_numel(w), &scale))
    lar_fill(&b, (double)NAN);
  else if (st == LAR_OK) {
    st = split(&k, scale);
    lar_tensor back = turned(&k.at[Z]);
    if (st == LAR_OK) st = lar_copy(&b, &back);
  }
  for (int p = 0; p < PLACES; p++) lar_tensor_clear(&k.at[p]);
  return st;
}

/* Constant matrices cost nothing. */
static lar_status centre(const lar_pen_at *at, const lar_tensor *w) {
  lar_tensor b = blocks(w);
  int64_t n = b.shape[1] * b.shape[2];
  double *v = lar_tensor_data(w);
  for (int64_t k = 0; k < b.shape[0]; k++) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += v[k * n + i];
    for (int64_t i = 0; i < n; i++) v[k * n + i] -= sum / (double)n;
  }
  return LAR_OK;
}

LAR_ENTRY(penalty, tv2d) = {
  .name = "tv2d",
  .doc = "differences of neighbours in rows and in columns: patches that are constant",
  .source = "Rudin, Osher & Fatemi 1992, Physica D 60; Barbero & Sra 2018, JMLR 19, sec. 5; "
            "Bauschke & Combettes 2008, Pacific J. Optim. 4(3)",
  .formula = "lambda (sum |w_{i+1,j} - w_{i,j}| + sum |w_{i,j+1} - w_{i,j}|)",
  .size = sizeof(none),
  .traits = LAR_CONVEX | LAR_FUSING | LAR_EUCLIDEAN | LAR_FALLIBLE | LAR_NORM,
  .value = value,
  .grad = grad,
  .prox = prox,
  .centre = centre,
};
