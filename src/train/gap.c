#include "train/gap.h"

#include <math.h>
#include <string.h>

#include "grad/grad.h"
#include "kern/copy.h"
#include "op/calc.h"
#include "penalty/reg.h"

/* ---- is there one? ---- */

static const lar_module *layer_of(const lar_fit *f) {
  const lar_module *m = f->model;
  while (strcmp(m->type->name, "sequential") == 0 && m->nchild == 1) m = m->child[0];
  return m->call == NULL && strcmp(m->type->name, "linear") == 0 ? m : NULL;
}

static int find(const lar_fit *f, const lar_var *v) {
  const lar_params *p = &f->optim->params;
  for (int i = 0; i < p->n; i++)
    if (p->at[i].var == v) return i;
  return -1;
}

static const char *model_lacks(const lar_fit *f, const lar_module *m) {
  lar_bound *b = f->optim->bound;
  const lar_var *bias = lar_module_slot(m, "bias");
  int weight = find(f, lar_module_slot(m, "weight"));
  if (weight < 0 || !f->optim->params.at[weight].var->requires_grad) return "its weight rests";
  if (lar_bound_sees(b) != 0 || lar_bound_noise(b, weight) != 0)
    return "a penalty looks at the forward pass";
  if (!lar_bound_has_dual(b, weight))
    return "the penalty on the weight is neither a sum of l1, l2 and elastic_net nor one norm";
  if (bias == NULL || !bias->requires_grad) return NULL;
  if (!lar_bound_is_free(b, find(f, bias))) return "the bias has a penalty";
  if (f->loss->type->traits & (LAR_LOSS_ROWS | LAR_LOSS_LABELS))
    return "with a loss of rows a bias must not learn";
  return NULL;
}

static const char *lacks(const lar_fit *f) {
  const lar_module *m = layer_of(f);
  if (f->data.x == NULL) return "the data come from a function";
  if (f->data.x->t.ndim != 2 || f->data.y == NULL) return "the data are no table with targets";
  if (f->loss == NULL || !(f->loss->type->traits & LAR_LOSS_CONVEX))
    return "the loss is not known to be convex";
  if (f->loss->reduction != LAR_MEAN) return "the loss is no mean";
  if (m == NULL) return "the model is not one linear layer";
  if (f->optim->bound == NULL) return "there is no penalty";
  return model_lacks(f, m);
}

lar_status lar_gap_known(const lar_fit *f) {
  const char *why = lacks(f);
  if (why == NULL) return LAR_OK;
  return lar_fail(LAR_EARG, "fit: gap_tol: no duality gap is known here, for %s; take grad_tol",
                  why);
}

/* ---- the loss by the predictions ---- */

/* Predictions, targets and weights in float64, owned by the scope; the slope, and its sums over
 * the rows and of magnitudes, for each of k columns. */
typedef struct dual {
  const lar_fit *f;
  lar_var *z;
  lar_batch b;
  bool shifts;
  int64_t n, k;
  double noise, loss, along; /* along: <u, z> */
  lar_tensor u;
} dual;

static lar_var *wide(lar_scope *s, lar_var *v) {
  return v != NULL && lar_dtype_is_float(v->t.dtype) ? lar_cast(s, v, LAR_F64) : v;
}

static lar_status slope_of(const dual *d, lar_scope *s, lar_var *z, lar_tensor *u,
                           double *loss) {
  lar_var *g = NULL;
  lar_var *l = lar_fit_loss(d->f, s, z, &d->b);
  LAR_TRY(s->status);
  LAR_TRY(lar_var_item(l, loss));
  LAR_TRY(lar_grad(l, NULL, 1, &z, false, &g));
  lar_tensor_clear(u);
  lar_status st = lar_contiguous(u, &g->t, LAR_F64);
  lar_var_unref(g);
  return st;
}

/* The slope where each column of the predictions has moved by shift; the sums of it. */
static lar_status look(dual *d, const double *shift, double *sum, double *size) {
  lar_tensor t = {0};
  lar_var *z = NULL;
  lar_scope s;
  lar_scope_init(&s);
  lar_status st = lar_clone(&t, &d->z->t, LAR_F64);
  double *at = st == LAR_OK ? lar_tensor_data(&t) : NULL;
  for (int64_t i = 0; st == LAR_OK && i < d->n * d->k; i++) at[i] += shift[i % d->k];
  if (st == LAR_OK) st = lar_var_new(&z, &t);
  if (st == LAR_OK) z->requires_grad = true;
  if (st == LAR_OK) st = slope_of(d, &s, z, &d->u, &d->loss);
  if (st == LAR_OK) {
    const double *u = lar_tensor_data(&d->u);
    d->along = 0;
    for (int64_t k = 0; k < d->k; k++) sum[k] = size[k] = 0;
    for (int64_t i = 0; i < d->n * d->k; i++) {
      sum[i % d->k] += u[i];
      size[i % d->k] += fabs(u[i]);
      d->along += u[i] * at[i];
    }
  }
  lar_scope_clear(&s);
  lar_var_unref(z);
  lar_tensor_clear(&t);
  return st;
}

/* ---- a slope that adds up to 0 ---- */

enum { COLUMNS = 64 };

static bool settled(const dual *d, const double *sum, const double *size) {
  for (int64_t k = 0; k < d->k; k++)
    if (!(fabs(sum[k]) <= d->noise * size[k])) return false;
  return true;
}

/* By secants, each column for itself; *found: they came to an end. */
static lar_status balance(dual *d, double *sum, double *size, bool *found) {
  enum { TRIES = 30 };
  double at[COLUMNS] = {0}, step[COLUMNS], former[COLUMNS];
  *found = settled(d, sum, size);
  for (int64_t k = 0; k < d->k; k++) step[k] = -sum[k] * (double)d->k;
  for (int tries = 0; tries < TRIES && !*found; tries++) {
    for (int64_t k = 0; k < d->k; k++) {
      former[k] = sum[k];
      at[k] += step[k];
    }
    LAR_TRY(look(d, at, sum, size));
    *found = settled(d, sum, size);
    for (int64_t k = 0; k < d->k; k++) {
      double fall = former[k] - sum[k];
      step[k] = fall != 0 ? step[k] * (sum[k] / fall) : 0;
    }
  }
  return LAR_OK;
}

/* ---- the gap ---- */

/* v = u^T x, as float64 of the weight's shape. */
static lar_status back(const dual *d, lar_scope *s, lar_tensor *v) {
  lar_var *u = NULL;
  LAR_TRY(lar_var_new(&u, &d->u));
  (void)lar_scope_own(s, u);
  u = lar_reshape(s, u, 2, (int64_t[]){d->n, d->k});
  u = lar_transpose(s, lar_cast(s, u, d->f->data.x->t.dtype), 1, 2);
  lar_var *product = lar_matmul(s, u, d->f->data.x);
  return product != NULL ? lar_contiguous(v, &product->t, LAR_F64) : s->status;
}

/* <sums of u, bias> of a bias that does not learn. */
static double fixed(const dual *d, const lar_module *m, const double *sum) {
  const lar_var *bias = lar_module_slot(m, "bias");
  double out = 0;
  if (bias == NULL || d->shifts) return 0;
  for (int64_t k = 0; k < d->k; k++)
    out += sum[k] * lar_tensor_get(&bias->t, k * bias->t.stride[0]);
  return out;
}

/* What no objective is below, of a slope that was looked at; NaN: no shift was found. */
static lar_status bound_below(dual *d, lar_scope *s, double *sum, double *size, double *below) {
  const lar_module *m = layer_of(d->f);
  double share = 0, conjugate = 0;
  lar_tensor v = {0};
  bool found = true;
  *below = (double)NAN;
  if (d->shifts) LAR_TRY(balance(d, sum, size, &found));
  if (!found) return LAR_OK;
  LAR_TRY(back(d, s, &v));
  int weight = find(d->f, lar_module_slot(m, "weight"));
  lar_status st = lar_bound_dual(d->f->optim->bound, weight, &v, &share, &conjugate);
  lar_tensor_clear(&v);
  *below = share * (d->loss - d->along + fixed(d, m, sum)) - conjugate;
  return st;
}

static lar_status prepare(dual *d, lar_scope *s) {
  const lar_fit *f = d->f;
  const lar_var *bias = lar_module_slot(layer_of(f), "bias");
  bool former = lar_grad_mode(false);
  lar_var *z = lar_module_forward(f->model, s, f->data.x);
  lar_grad_mode(former);
  LAR_TRY(s->status);
  d->noise = z->t.dtype == LAR_F64 ? 1e-12 : 1e-9;
  d->n = z->t.shape[0], d->k = z->t.shape[1];
  d->z = wide(s, z);
  d->b = (lar_batch){f->data.x, wide(s, f->data.y), wide(s, f->data.weight)};
  d->shifts = bias != NULL && bias->requires_grad;
  return s->status;
}

static lar_status measure(dual *d, lar_scope *s, double *out) {
  const double still[COLUMNS] = {0};
  double sum[COLUMNS], size[COLUMNS], penalty, below;
  LAR_TRY(prepare(d, s));
  if (d->k > COLUMNS) return LAR_OK;
  LAR_TRY(look(d, still, sum, size));
  LAR_TRY(lar_bound_values(d->f->optim->bound, NULL, &penalty));
  double objective = d->loss + penalty;
  LAR_TRY(bound_below(d, s, sum, size, &below));
  *out = isnan(below) ? below : fmax(objective - below, 0) / objective;
  return LAR_OK;
}

lar_status lar_gap(const lar_fit *f, double *out) {
  dual d = {.f = f};
  lar_scope s;
  *out = (double)NAN;
  lar_scope_init(&s);
  lar_status st = measure(&d, &s, out);
  lar_tensor_clear(&d.u);
  lar_scope_clear(&s);
  return st;
}
