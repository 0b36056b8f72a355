#include "solver/design.h"

#include <math.h>

#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"
#include "solver/columns.h"

enum { GRAIN = 16384 }; /* entries of a chunk of columns */

static const lar_columns *loops(const lar_design *d) {
  return d->dtype == LAR_F32 ? &lar_columns_f32 : &lar_columns_f64;
}

/* The entries of column j: their number, where they are, and their rows (NULL: all). */
static inline int64_t column(const lar_design *d, int64_t j, const void **x,
                             const int32_t **index) {
  int64_t size = (int64_t)lar_dtype_size(d->dtype);
  if (d->sparse == NULL) {
    *x = (const char *)lar_tensor_data(&d->dense) + j * d->dense.stride[1] * size;
    *index = NULL;
    return d->n;
  }
  int64_t at = d->sparse->start[j];
  *x = (const char *)d->sparse->value + at * size;
  *index = d->sparse->index + at;
  return d->sparse->start[j + 1] - at;
}

double lar_design_dot(const lar_design *d, int64_t j, const double *v) {
  const void *x;
  const int32_t *index;
  int64_t n = column(d, j, &x, &index);
  return loops(d)->dot(n, index, x, v);
}

void lar_design_dots(const lar_design *d, int64_t j, int64_t m, const double *v, double *out) {
  const void *x;
  const int32_t *index;
  for (int64_t k = 0; k < m; k += 4) {
    int some = m - k < 4 ? (int)(m - k) : 4;
    column(d, j + k, &x, &index);
    if (index == NULL)
      loops(d)->dots(d->n, some, d->dense.stride[1], x, v, out + k);
    else
      for (int c = 0; c < some; c++) out[k + c] = lar_design_dot(d, j + k + c, v);
  }
}

/* Of float64, a product has no sides: the vectors are columns, and the column is a vector. */
void lar_design_dot_each(const lar_design *d, int64_t j, int64_t k, const double *v,
                         double *out) {
  const void *x;
  const int32_t *index;
  int64_t m = column(d, j, &x, &index);
  for (int64_t c = 0; c < k; c += 4) {
    int some = k - c < 4 ? (int)(k - c) : 4;
    if (index == NULL && d->dtype == LAR_F64)
      lar_columns_f64.dots(d->n, some, d->n, v + c * d->n, x, out + c);
    else
      for (int l = 0; l < some; l++)
        out[c + l] = loops(d)->dot(m, index, x, v + (c + l) * d->n);
  }
}

void lar_design_moments(const lar_design *d, int64_t j, const double *w, double *first,
                        double *second) {
  const void *x;
  const int32_t *index;
  int64_t n = column(d, j, &x, &index);
  loops(d)->moments(n, index, x, w, first, second);
}

void lar_design_axpy(const lar_design *d, int64_t j, double a, const double *w, double *v) {
  const void *x;
  const int32_t *index;
  int64_t n = column(d, j, &x, &index);
  loops(d)->axpy(n, index, x, a, w, v);
}

void lar_design_axpys(const lar_design *d, int64_t j, int64_t m, const double *a,
                      const double *w, double *v) {
  const void *x;
  const int32_t *index;
  for (int64_t k = 0; k < m; k += 4) {
    int some = m - k < 4 ? (int)(m - k) : 4;
    column(d, j + k, &x, &index);
    if (index == NULL)
      loops(d)->axpys(d->n, some, d->dense.stride[1], x, a + k, w, v);
    else
      for (int c = 0; c < some; c++) lar_design_axpy(d, j + k + c, a[k + c], w, v);
  }
}

int64_t lar_design_entries(const lar_design *d, int64_t j) {
  return d->sparse == NULL ? d->n : d->sparse->start[j + 1] - d->sparse->start[j];
}

void lar_design_pack(const lar_design *d, int64_t j, int64_t from, int64_t n, double mean,
                     const double *root, double *out) {
  const char *x = lar_tensor_data(&d->dense);
  int64_t at = j * d->dense.stride[1] + from;
  double scale = lar_design_scale(d, j);
  loops(d)->pack(n, x + at * (int64_t)lar_dtype_size(d->dtype),
                 lar_design_mean(d, j) + mean * scale, scale == 0 ? 0 : 1 / scale, root, out);
}

/* ---- making ---- */

lar_status lar_design_check(const lar_design *d) {
  for (int64_t j = 0; j < d->p; j++) {
    const void *x;
    const int32_t *index;
    int64_t n = column(d, j, &x, &index);
    for (int64_t i = 0; i < n; i++) {
      double v = d->dtype == LAR_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
      if (isfinite(v)) continue;
      return lar_fail(LAR_EARG, "x holds %s in row %lld of column %lld; fill or drop it first",
                      isnan(v) ? "NaN" : "infinity",
                      (long long)(index != NULL ? index[i] : i) + 1, (long long)j + 1);
    }
  }
  return LAR_OK;
}

/* The same matrix with columns in one piece. */
static lar_status by_columns(lar_tensor *out, const lar_tensor *x, lar_dtype dtype) {
  if (x->dtype == dtype && (x->stride[0] == 1 || x->shape[0] <= 1)) {
    lar_tensor_ref(out, x);
    return LAR_OK;
  }
  LAR_TRY(lar_tensor_init(out, dtype, 2, (int64_t[]){x->shape[1], x->shape[0]}));
  int64_t n = x->shape[0];
  out->shape[0] = n, out->shape[1] = x->shape[1];
  out->stride[0] = 1, out->stride[1] = n > 0 ? n : 1;
  return lar_copy(out, x);
}

lar_status lar_design_dense(lar_design *out, const lar_tensor *x) {
  *out = (lar_design){0};
  if (x->ndim != 2)
    return lar_fail(LAR_ESHAPE, "x is %s; it must have two dimensions: rows and columns",
                    lar_tensor_text(x));
  lar_dtype dtype = lar_dtype_is_float(x->dtype) ? x->dtype : LAR_F64;
  LAR_TRY(by_columns(&out->dense, x, dtype));
  out->n = x->shape[0], out->p = x->shape[1];
  out->dtype = dtype;
  return LAR_OK;
}

lar_status lar_design_sparse(lar_design *out, lar_sparse *x) {
  *out = (lar_design){.n = x->n, .p = x->p, .dtype = x->dtype, .sparse = lar_sparse_ref(x)};
  return LAR_OK;
}

void lar_design_clear(lar_design *d) {
  lar_tensor_clear(&d->dense);
  if (d->sparse != NULL) lar_sparse_unref(d->sparse);
  lar_free(d->mean);
  lar_free(d->scale);
  lar_free(d->gram);
  *d = (lar_design){0};
}

typedef struct moments_job {
  lar_design *d;
  const double *w;
  bool centre, scale;
} moments_job;

/* The weighted mean of (x_ij - mean)^2. */
static double about(const lar_design *d, int64_t j, const double *w, double mean) {
  const void *x;
  const int32_t *index;
  int64_t n = column(d, j, &x, &index);
  double sum = 0, zeros = 1;
  for (int64_t i = 0; i < n; i++) {
    double v = d->dtype == LAR_F32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
    double one = w[index != NULL ? index[i] : i];
    sum += one * (v - mean) * (v - mean);
    zeros -= one;
  }
  return index != NULL ? sum + fmax(zeros, 0) * mean * mean : sum;
}

/* A spread that is rounding alone is none; one that is not finite shows in every product. */
static double spread_of(const lar_design *d, int64_t j, const double *w, double *mean) {
  double first, second;
  lar_design_moments(d, j, w, &first, &second);
  *mean = first;
  double spread = second - first * first;
  if (!(spread < 1e-3 * second)) return spread; /* else digits were lost */
  spread = about(d, j, w, first);
  return spread <= 1e-26 * second ? 0 : spread;
}

static void moments_part(void *ctx, int64_t begin, int64_t end) {
  const moments_job *job = ctx;
  for (int64_t j = begin; j < end; j++) {
    double mean, spread = spread_of(job->d, j, job->w, &mean);
    double scale = job->scale ? sqrt(spread) : 1;
    if (job->centre && spread == 0) scale = 0;
    if (job->d->scale != NULL) job->d->scale[j] = isfinite(spread) ? scale : (double)NAN;
    if (job->d->mean != NULL) job->d->mean[j] = mean;
  }
}

static int64_t grain_of(const lar_design *d, int64_t m) {
  int64_t each = d->sparse != NULL && d->p > 0 ? lar_sparse_nnz(d->sparse) / d->p + 4 : d->n;
  int64_t grain = GRAIN / (each + 1) + 1;
  return (grain + 3) / 4 * 4;
}

lar_status lar_design_standardised(lar_design *out, const lar_design *x, const double *w,
                                   bool centre, bool scale) {
  void *v;
  *out = *x;
  out->mean = out->scale = out->gram = NULL;
  if (x->sparse != NULL)
    lar_sparse_ref(x->sparse);
  else
    lar_tensor_ref(&out->dense, &x->dense);
  lar_status st = LAR_OK;
  if (centre) {
    LAR_GO(lar_alloc_raw(&v, (size_t)x->p + 1, sizeof(double)));
    out->mean = v;
  }
  if (centre || scale) {
    LAR_GO(lar_alloc_raw(&v, (size_t)x->p + 1, sizeof(double)));
    out->scale = v;
    moments_job job = {.d = out, .w = w, .centre = centre, .scale = scale};
    lar_par_for(x->p, grain_of(x, x->p), moments_part, &job);
  }
done:
  if (st != LAR_OK) lar_design_clear(out);
  return st;
}

/* ---- products ---- */

typedef struct tmul_job {
  const lar_design *d;
  const double *v;
  double sum, *out;
  const int64_t *list;
} tmul_job;

static void finish(const tmul_job *job, int64_t j, double *dot) {
  double scale = lar_design_scale(job->d, j);
  *dot = scale == 0 ? 0 : (*dot - lar_design_mean(job->d, j) * job->sum) / scale;
}

static void tmul_part(void *ctx, int64_t begin, int64_t end) {
  const tmul_job *job = ctx;
  const lar_design *d = job->d;
  if (job->list == NULL && d->sparse == NULL)
    for (int64_t j = begin; j < end; j += 4) {
      const void *x;
      const int32_t *index;
      column(d, j, &x, &index);
      int k = end - j < 4 ? (int)(end - j) : 4;
      loops(d)->dots(d->n, k, d->dense.stride[1], x, job->v, job->out + j);
      for (int c = 0; c < k; c++) finish(job, j + c, &job->out[j + c]);
    }
  else
    for (int64_t k = begin; k < end; k++) {
      int64_t j = job->list != NULL ? job->list[k] : k;
      job->out[k] = lar_design_dot(d, j, job->v);
      finish(job, j, &job->out[k]);
    }
}

void lar_design_tmul(const lar_design *d, const double *v, double sum, const int64_t *list,
                     int64_t m, double *out) {
  tmul_job job = {.d = d, .v = v, .sum = sum, .out = out, .list = list};
  if (list == NULL) m = d->p;
  lar_par_for(m, grain_of(d, m), tmul_part, &job);
}

typedef struct each_job {
  const lar_design *d;
  const double *v;
  int64_t k, m;
  const int64_t *list;
  double *out;
} each_job;

static void each_part(void *ctx, int64_t begin, int64_t end) {
  enum { SOME = 16 };
  const each_job *job = ctx;
  const lar_design *d = job->d;
  double dot[SOME];
  for (int64_t at = begin; at < end; at++) {
    const int64_t j = job->list != NULL ? job->list[at] : at;
    const double scale = lar_design_scale(d, j);
    for (int64_t c = 0; c < job->k; c += SOME) {
      const int64_t some = job->k - c < SOME ? job->k - c : SOME;
      lar_design_dot_each(d, j, some, job->v + c * d->n, dot);
      for (int64_t l = 0; l < some; l++)
        job->out[(c + l) * job->m + at] = scale == 0 ? 0 : dot[l] / scale;
    }
  }
}

void lar_design_tmul_each(const lar_design *d, const double *v, int64_t k, const int64_t *list,
                          int64_t m, double *out) {
  if (list == NULL) m = d->p;
  each_job job = {.d = d, .v = v, .k = k, .m = m, .list = list, .out = out};
  lar_par_for(m, (grain_of(d, m) + k - 1) / k, each_part, &job);
  for (int64_t c = 0; d->mean != NULL && c < k; c++) {
    double sum = 0;
    for (int64_t i = 0; i < d->n; i++) sum += v[c * d->n + i];
    for (int64_t at = 0; at < m; at++) {
      const int64_t j = list != NULL ? list[at] : at;
      if (lar_design_scale(d, j) == 0) continue;
      out[c * m + at] -= lar_design_mean(d, j) * sum / lar_design_scale(d, j);
    }
  }
}

lar_status lar_design_squares(lar_design *d, const double *w, const double *u, double *out) {
  void *v;
  lar_free(d->gram);
  d->gram = NULL;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(d->p * d->p) + 1, sizeof(double)));
  d->gram = v;
  return lar_design_cross(d, w, u, d->gram, out);
}

void lar_design_mul(const lar_design *d, const double *b, double c, double *out) {
  for (int64_t j = 0; j < d->p; j++) {
    double scale = lar_design_scale(d, j);
    if (b[j] != 0 && scale != 0) c -= lar_design_mean(d, j) * (b[j] / scale);
  }
  for (int64_t i = 0; i < d->n; i++) out[i] = c;
  for (int64_t j = 0; j < d->p; j++) {
    double scale = lar_design_scale(d, j);
    if (b[j] != 0 && scale != 0) lar_design_axpy(d, j, b[j] / scale, NULL, out);
  }
}
