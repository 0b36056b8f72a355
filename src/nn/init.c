#include "nn/init.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "kern/copy.h"

/* ---- drawing ---- */

static lar_rng *stream(void) { return lar_rng_stream("init"); }

void lar_init_uniform(const lar_tensor *w, double lo, double hi) {
  lar_rng_fill_uniform(stream(), w, lo, hi);
}

void lar_init_normal(const lar_tensor *w, double mean, double std) {
  lar_rng_fill_normal(stream(), w, mean, std);
}

/* ---- fans ---- */

typedef struct fans {
  double in, out;
} fans;

static lar_status fan(const lar_tensor *w, fans *f) {
  *f = (fans){0};
  if (w->ndim < 2)
    return lar_fail(LAR_ESHAPE, "a tensor of shape %s has no inputs and outputs to count",
                    lar_tensor_text(w));
  double field = (double)lar_shape_numel(w->ndim - 2, w->shape + 2);
  *f = (fans){(double)w->shape[1] * field, (double)w->shape[0] * field};
  return LAR_OK;
}

static void spread_uniform(const lar_tensor *w, double std) {
  lar_init_uniform(w, -sqrt(3) * std, sqrt(3) * std);
}

/* ---- constants ---- */

#define OF(k)  ((k) * sizeof(double))
#define ANY    -HUGE_VAL, HUGE_VAL
#define NOTNEG 0, HUGE_VAL

static lar_status zeros(const double *p, const lar_tensor *w) { return lar_fill(w, 0), LAR_OK; }
static lar_status ones(const double *p, const lar_tensor *w) { return lar_fill(w, 1), LAR_OK; }

static const lar_param constant_params[] = {{"value", OF(0), 0, ANY, "the constant"}, {0}};
static lar_status constant(const double *p, const lar_tensor *w) {
  return lar_fill(w, p[0]), LAR_OK;
}

static const lar_param gain_params[] = {{"gain", OF(0), 1, ANY, "factor"}, {0}};
static lar_status eye(const double *p, const lar_tensor *w) {
  if (w->ndim != 2)
    return lar_fail(LAR_ESHAPE, "a tensor of shape %s is no matrix", lar_tensor_text(w));
  lar_fill(w, 0);
  for (int64_t i = 0; i < w->shape[0] && i < w->shape[1]; i++)
    lar_tensor_put(w, i * (w->stride[0] + w->stride[1]), p[0]);
  return LAR_OK;
}

/* ---- plain distributions ---- */

static const lar_param uniform_params[] = {
  {"lo", OF(0), 0, ANY, "lower end"}, {"hi", OF(1), 1, ANY, "upper end"}, {0}};
static lar_status uniform(const double *p, const lar_tensor *w) {
  if (!(p[0] <= p[1])) return lar_fail(LAR_EARG, "lo = %g is above hi = %g", p[0], p[1]);
  return lar_init_uniform(w, p[0], p[1]), LAR_OK;
}

static const lar_param normal_params[] = {
  {"mean", OF(0), 0, ANY, "mean"}, {"std", OF(1), 1, NOTNEG, "standard deviation"}, {0}};
static lar_status normal(const double *p, const lar_tensor *w) {
  return lar_init_normal(w, p[0], p[1]), LAR_OK;
}

static const lar_param truncated_params[] = {{"mean", OF(0), 0, ANY, "mean"},
                                             {"std", OF(1), 1, NOTNEG, "standard deviation"},
                                             {"lo", OF(2), -2, ANY, "lower end"},
                                             {"hi", OF(3), 2, ANY, "upper end"},
                                             {0}};

/* Rejection: the interval holds a good part of the mass or the loop would not end. */
static lar_status truncated(const double *p, const lar_tensor *w) {
  double std = p[1], a = (p[2] - p[0]) / std, b = (p[3] - p[0]) / std;
  double mass = 0.5 * (erf(b * M_SQRT1_2) - erf(a * M_SQRT1_2));
  lar_rng *r = stream();
  if (std == 0) return lar_fill(w, fmin(fmax(p[0], p[2]), p[3])), LAR_OK;
  if (!(mass > 1e-3))
    return lar_fail(LAR_EARG, "[%g, %g] holds too little of a normal of mean %g and std %g",
                    p[2], p[3], p[0], p[1]);
  int64_t n = lar_tensor_numel(w);
  for (int64_t k = 0; k < n; k++) {
    double z;
    do {
      double u = 1 - lar_rng_uniform(r);
      z = sqrt(-2 * log(u)) * cos(6.283185307179586 * lar_rng_uniform(r));
    } while (z < a || z > b);
    lar_tensor_put(w, k, p[0] + std * z);
  }
  return LAR_OK;
}

/* ---- scaled by fans ---- */

static lar_status xavier(const double *p, const lar_tensor *w, bool gauss) {
  fans f;
  LAR_TRY(fan(w, &f));
  double std = p[0] * sqrt(2 / fmax(f.in + f.out, 1));
  if (gauss)
    lar_init_normal(w, 0, fabs(std));
  else
    spread_uniform(w, fabs(std));
  return LAR_OK;
}
static lar_status xavier_uniform(const double *p, const lar_tensor *w) {
  return xavier(p, w, false);
}
static lar_status xavier_normal(const double *p, const lar_tensor *w) {
  return xavier(p, w, true);
}

enum { FAN_IN, FAN_OUT };
static const lar_param kaiming_params[] = {
  {"slope", OF(0), 0, NOTNEG, "of the leaky relu that follows (0: relu)"},
  {"mode", OF(1), FAN_IN, 0, 1, "which spread is kept: forward or backward", LAR_CHOICE,
   "fan_in|fan_out"},
  {"gain", OF(2), -1, -1, HUGE_VAL, "factor; -1: sqrt(2 / (1 + slope^2))"},
  {0}};

static lar_status kaiming(const double *p, const lar_tensor *w, bool gauss) {
  fans f;
  LAR_TRY(fan(w, &f));
  double gain = p[2] < 0 ? sqrt(2 / (1 + p[0] * p[0])) : p[2];
  double std = gain / sqrt(fmax(p[1] == FAN_IN ? f.in : f.out, 1));
  if (gauss)
    lar_init_normal(w, 0, std);
  else
    spread_uniform(w, std);
  return LAR_OK;
}
static lar_status kaiming_uniform(const double *p, const lar_tensor *w) {
  return kaiming(p, w, false);
}
static lar_status kaiming_normal(const double *p, const lar_tensor *w) {
  return kaiming(p, w, true);
}

static lar_status lecun(const lar_tensor *w, bool gauss) {
  fans f;
  LAR_TRY(fan(w, &f));
  double std = 1 / sqrt(fmax(f.in, 1));
  if (gauss)
    lar_init_normal(w, 0, std);
  else
    spread_uniform(w, std);
  return LAR_OK;
}
static lar_status lecun_uniform(const double *p, const lar_tensor *w) {
  return lecun(w, false);
}
static lar_status lecun_normal(const double *p, const lar_tensor *w) { return lecun(w, true); }

/* ---- orthogonal ---- */

static double dot(const double *a, const double *b, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; k++) sum += a[k] * b[k];
  return sum;
}

/* Gram-Schmidt, twice over, on `few` rows of length `many`. */
static void orthonormal(double *q, int64_t few, int64_t many) {
  for (int64_t i = 0; i < few; i++) {
    double *row = q + i * many;
    for (int twice = 0; twice < 2; twice++)
      for (int64_t j = 0; j < i; j++) {
        double c = dot(row, q + j * many, many);
        for (int64_t k = 0; k < many; k++) row[k] -= c * q[j * many + k];
      }
    double norm = sqrt(dot(row, row, many));
    for (int64_t k = 0; k < many; k++) row[k] /= norm;
  }
}

static lar_status orthogonal(const double *p, const lar_tensor *w) {
  lar_tensor t = {0};
  if (w->ndim < 2)
    return lar_fail(LAR_ESHAPE, "a tensor of shape %s is no matrix", lar_tensor_text(w));
  int64_t rows = w->shape[0], cols = lar_shape_numel(w->ndim - 1, w->shape + 1);
  bool wide = rows <= cols;
  int64_t few = wide ? rows : cols, many = wide ? cols : rows;
  LAR_TRY(lar_tensor_init(&t, LAR_F64, 2, (int64_t[]){few, many}));
  double *q = lar_tensor_data(&t);
  lar_init_normal(&t, 0, 1);
  orthonormal(q, few, many);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < cols; j++)
      lar_tensor_put(w, i * cols + j, p[0] * q[wide ? i * many + j : j * many + i]);
  lar_tensor_clear(&t);
  return LAR_OK;
}

/* ---- sparse ---- */

static const lar_param sparse_params[] = {
  {"sparsity", OF(0), 0.1, 0, 1, "share of zeros in each column"},
  {"std", OF(1), 0.01, NOTNEG, "standard deviation of the others"},
  {0}};

/* Each column: a random choice of its rows is zero. */
static lar_status sparse(const double *p, const lar_tensor *w) {
  void *order;
  if (w->ndim != 2)
    return lar_fail(LAR_ESHAPE, "a tensor of shape %s is no matrix", lar_tensor_text(w));
  int64_t rows = w->shape[0], cols = w->shape[1], zero = (int64_t)ceil(p[0] * (double)rows);
  LAR_TRY(lar_alloc(&order, (size_t)rows, sizeof(int64_t)));
  lar_init_normal(w, 0, p[1]);
  for (int64_t j = 0; j < cols; j++) {
    lar_rng_permutation(stream(), order, rows);
    for (int64_t k = 0; k < zero; k++)
      lar_tensor_put(w, ((const int64_t *)order)[k] * cols + j, 0);
  }
  lar_free(order);
  return LAR_OK;
}

/* ---- the table ---- */

#define GLOROT "Glorot & Bengio 2010, AISTATS"
#define HE     "He, Zhang, Ren & Sun 2015, ICCV"
#define LECUN  "LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp"

const lar_scheme lar_schemes[] = {
  {"xavier_uniform", "uniform of std gain sqrt(2 / (fan_in + fan_out))", GLOROT, gain_params,
   xavier_uniform},
  {"xavier_normal", "normal of std gain sqrt(2 / (fan_in + fan_out))", GLOROT, gain_params,
   xavier_normal},
  {"kaiming_uniform", "uniform of std gain / sqrt(fan)", HE, kaiming_params, kaiming_uniform},
  {"kaiming_normal", "normal of std gain / sqrt(fan)", HE, kaiming_params, kaiming_normal},
  {"lecun_uniform", "uniform of std 1 / sqrt(fan_in)", LECUN, NULL, lecun_uniform},
  {"lecun_normal", "normal of std 1 / sqrt(fan_in)", LECUN, NULL, lecun_normal},
  {"orthogonal", "gain times a random matrix with orthonormal rows (or columns)",
   "Saxe, McClelland & Ganguli 2014, ICLR", gain_params, orthogonal},
  {"uniform", "uniform in [lo, hi)", NULL, uniform_params, uniform},
  {"normal", "normal", NULL, normal_params, normal},
  {"truncated_normal", "normal, drawn again outside [lo, hi]", NULL, truncated_params,
   truncated},
  {"zeros", "0", NULL, NULL, zeros},
  {"ones", "1", NULL, NULL, ones},
  {"constant", "one value", NULL, constant_params, constant},
  {"eye", "gain times the identity", NULL, gain_params, eye},
  {"sparse", "normal, with a share of zeros in each column", "Martens 2010, ICML",
   sparse_params, sparse},
  {0},
};

const lar_scheme *lar_scheme_find(const char *name) {
  for (const lar_scheme *p = lar_schemes; p->name != NULL; p++)
    if (strcmp(p->name, name) == 0) return p;
  return NULL;
}

/* The schemes write row-major tensors: others get a copy of what one such became. */
static lar_status fill_any(const lar_scheme *scheme, const double *self, const lar_tensor *w) {
  lar_tensor own = {0};
  if (lar_tensor_is_contiguous(w)) return scheme->fill(self, w);
  lar_status st = lar_tensor_init(&own, w->dtype, w->ndim, w->shape);
  if (st == LAR_OK) st = scheme->fill(self, &own);
  if (st == LAR_OK) st = lar_copy(w, &own);
  lar_tensor_clear(&own);
  return st;
}

lar_status lar_scheme_fill(const lar_scheme *scheme, const double *self, const lar_tensor *w) {
  lar_status st =
    lar_dtype_is_float(w->dtype)
      ? fill_any(scheme, self, w)
      : lar_fail(LAR_EDTYPE, "a tensor of %s cannot be initialised", lar_dtype_name(w->dtype));
  return st == LAR_OK ? st : lar_fail(st, "%s: %s", scheme->name, lar_why());
}

static lar_status unknown(const char *name) {
  const char *best = "";
  int least = 1000;
  for (const lar_scheme *p = lar_schemes; p->name != NULL; p++) {
    int d = lar_edit_distance(name, p->name);
    if (d < least) least = d, best = p->name;
  }
  return lar_fail(LAR_EARG, "unknown initialiser '%s'; did you mean '%s'?", name, best);
}

lar_status lar_init(const char *name, const lar_tensor *w) {
  double self[LAR_SCHEME_PARAMS];
  const lar_scheme *scheme = lar_scheme_find(name);
  if (scheme == NULL) return unknown(name);
  lar_param_default(scheme->params, self);
  return lar_scheme_fill(scheme, self, w);
}
