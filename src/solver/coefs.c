#include "solver/coefs.h"

#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"

bool lar_reg_all(const lar_reg *r, unsigned traits) {
  for (int i = 0; i < r->n; i++)
    if (r->at[i].term->type == NULL || (r->at[i].term->type->traits & traits) != traits)
      return false;
  return true;
}

bool lar_reg_any(const lar_reg *r, unsigned traits) {
  for (int i = 0; i < r->n; i++)
    if (r->at[i].term->type != NULL && (r->at[i].term->type->traits & traits) != 0) return true;
  return false;
}

bool lar_problem_plain(const lar_problem *g) {
  for (int64_t j = 0; g->factor != NULL && j < g->x->p; j++)
    if (g->factor[j] != 1) return false;
  return true;
}

int64_t lar_coefs_df(const double *b, int64_t p, int64_t k) {
  int64_t df = 0;
  for (int64_t j = 0; j < p; j++) {
    bool any = false;
    for (int64_t c = 0; c < k; c++) any = any || b[c * p + j] != 0;
    df += any;
  }
  return df;
}

/* ---- groups of features become groups of coefficients ---- */

static lar_status integers(lar_var **out, int64_t n, int64_t **at) {
  LAR_TRY(lar_var_init(out, LAR_I64, 1, &n));
  *at = lar_tensor_data(&(*out)->t);
  return LAR_OK;
}

static lar_status repeat_ids(lar_term *t, int64_t p, int64_t k) {
  const int64_t *from = lar_tensor_data(&t->ids->t);
  int64_t *to;
  lar_var *ids;
  LAR_TRY(integers(&ids, p * k, &to));
  for (int64_t i = 0; i < p * k; i++) to[i] = from[i % p];
  lar_var_unref(t->ids);
  t->ids = ids;
  return LAR_OK;
}

static lar_status repeat_lists(lar_term *t, int64_t p, int64_t k) {
  const int64_t n = lar_tensor_numel(&t->sizes->t), m = lar_tensor_numel(&t->list->t);
  const int64_t *size = lar_tensor_data(&t->sizes->t), *from = lar_tensor_data(&t->list->t);
  int64_t *sizes_to, *to;
  lar_var *sizes, *list;
  LAR_TRY(integers(&sizes, n, &sizes_to));
  lar_status st = integers(&list, m * k, &to);
  if (st != LAR_OK) {
    lar_var_unref(sizes);
    return st;
  }
  for (int64_t g = 0; g < n; from += size[g++]) {
    sizes_to[g] = size[g] * k;
    for (int64_t c = 0; c < k; c++)
      for (int64_t i = 0; i < size[g]; i++) *to++ = from[i] + c * p;
  }
  lar_var_unref(t->sizes);
  lar_var_unref(t->list);
  t->sizes = sizes;
  t->list = list;
  return LAR_OK;
}

static bool of_features(const lar_term *t, int64_t p) {
  if (t->ids != NULL) return lar_tensor_numel(&t->ids->t) == p;
  if (t->list == NULL) return false;
  const int64_t *at = lar_tensor_data(&t->list->t);
  for (int64_t i = 0, n = lar_tensor_numel(&t->list->t); i < n; i++)
    if (at[i] > p) return false;
  return true;
}

/* The same sum with such groups in every predictor. */
static lar_status repeat(lar_reg **out, lar_reg *r, int64_t p, int64_t k) {
  LAR_TRY(lar_reg_scale(out, r, 1));
  for (int i = 0; k > 1 && i < r->n; i++) {
    lar_addend *a = &(*out)->at[i];
    lar_term *t;
    if (!of_features(a->term, p)) continue;
    LAR_TRY(lar_term_copy(&t, a->term));
    lar_term_unref(a->term);
    a->term = t;
    LAR_TRY(t->ids != NULL ? repeat_ids(t, p, k) : repeat_lists(t, p, k));
  }
  return LAR_OK;
}

/* ---- factors become weights ---- */

static bool constraint(const lar_term *t) {
  return t->type != NULL && (t->type->traits & LAR_CONSTRAINT) != 0;
}

lar_status lar_reg_factors(const lar_problem *g, const char *who) {
  const lar_reg *r = g->penalty;
  bool any = false;
  if (lar_problem_plain(g)) return LAR_OK;
  for (int i = 0; i < r->n; i++) {
    const lar_term *t = r->at[i].term;
    if (constraint(t)) continue;
    any = true;
    if (t->type == NULL || (t->type->traits & LAR_SEPARABLE) == 0)
      return lar_fail(LAR_EARG,
                      "solver '%s' takes weights of columns where the penalty is separable; %s "
                      "is not: give it weights of its own",
                      who, t->name);
  }
  if (any) return LAR_OK;
  return lar_fail(LAR_EARG,
                  "solver '%s': weights of columns need a penalty that has a strength; %s is a "
                  "constraint",
                  who, r->n > 0 ? r->at[0].term->name : "none");
}

/* What is infinite in either holds the coefficient. */
static double times(double weight, double factor) {
  return weight == HUGE_VAL || factor == HUGE_VAL ? HUGE_VAL : weight * factor;
}

static lar_status weigh_term(lar_term *t, const lar_problem *g) {
  const int64_t p = g->x->p, k = g->rows.k, shape[2] = {k, p};
  const int ndim = k > 1 ? 2 : 1;
  lar_tensor wide = {0};
  lar_var *weights;
  LAR_TRY(lar_var_init(&weights, LAR_F64, ndim, k > 1 ? shape : &p));
  double *to = lar_tensor_data(&weights->t);
  lar_status st = LAR_OK;
  for (int64_t i = 0; i < k * p; i++) to[i] = 1;
  if (t->weights != NULL) {
    LAR_GO(lar_tensor_expand(&wide, &t->weights->t, ndim, k > 1 ? shape : &p));
    LAR_GO(lar_copy(&weights->t, &wide));
  }
  for (int64_t i = 0; i < k * p; i++) to[i] = times(to[i], g->factor[i % p]);
  lar_var_unref(t->weights);
  t->weights = weights;
done:
  lar_tensor_clear(&wide);
  if (st != LAR_OK) lar_var_unref(weights);
  return st;
}

/* Weights of ranks are no coefficient's. */
static bool has_zero(const lar_term *t) {
  const unsigned own = LAR_SEPARABLE | LAR_GROUPED;
  if (t->weights == NULL || t->type == NULL || (t->type->traits & own) == 0) return false;
  const double *at = lar_tensor_data(&t->weights->t);
  for (int64_t i = 0, n = lar_tensor_numel(&t->weights->t); i < n; i++)
    if (at[i] == 0) return true;
  return false;
}

lar_status lar_reg_weighted(lar_reg **out, const lar_problem *g, bool *loose) {
  const bool plain = lar_problem_plain(g);
  *out = NULL;
  *loose = false;
  LAR_TRY(lar_reg_scale(out, g->penalty, 1));
  lar_status st = LAR_OK;
  for (int i = 0; i < (*out)->n; i++) {
    lar_addend *a = &(*out)->at[i];
    lar_term *t;
    if (!plain && !constraint(a->term)) {
      LAR_GO(lar_term_copy(&t, a->term));
      lar_term_unref(a->term);
      a->term = t;
      LAR_GO(weigh_term(t, g));
    }
    *loose = *loose || has_zero(a->term);
  }
done:
  if (st != LAR_OK) {
    lar_reg_unref(*out);
    *out = NULL;
  }
  return st;
}

/* ---- opening ---- */

static lar_status bind(lar_coefs *c, lar_reg *penalty) {
  LAR_TRY(repeat(&c->reg, penalty, c->p, c->k));
  LAR_TRY(lar_reg_bind_all(&c->bound, c->reg, &c->params));
  return lar_bound_refresh(c->bound, NULL);
}

static lar_status make(lar_coefs *c, const lar_problem *g) {
  lar_var *var;
  void *base;
  int64_t shape[2] = {c->k, c->p};
  lar_tensor zeros = {0};
  LAR_TRY(lar_tensor_zeros(&zeros, LAR_F64, c->k > 1 ? 2 : 1, c->k > 1 ? shape : &c->p));
  lar_status st = lar_var_adopt(&var, &zeros);
  if (st != LAR_OK) {
    lar_tensor_clear(&zeros);
    return st;
  }
  st = lar_params_add(&c->params, "coef", var, LAR_WEIGHT);
  c->t = &var->t;
  c->b = lar_tensor_data(c->t);
  lar_var_unref(var);
  LAR_TRY(st);
/* Terms of a penalty are counted without locks, and folds share one. */
#pragma omp critical(lar_coefs)
  st = bind(c, g->penalty);
  LAR_TRY(st);
  c->n = lar_bound_terms(c->bound);
  LAR_TRY(lar_alloc(&base, (size_t)c->n + 1, sizeof(double)));
  c->base = base;
  for (int i = 0; i < c->n; i++) {
    const lar_penalty *type = g->penalty->at[i].term->type;
    bool constraint = type != NULL && (type->traits & LAR_CONSTRAINT) != 0;
    c->base[i] = constraint ? (double)NAN : lar_bound_lambda(c->bound, i);
  }
  c->convex = lar_reg_all(g->penalty, LAR_CONVEX);
  const lar_penalty *one = c->n == 1 ? g->penalty->at[0].term->type : NULL;
  c->known = one != NULL &&
             (one->at_max != NULL || one->at_max1 != NULL || (one->traits & LAR_NORM) != 0);
  return lar_coefs_set(c, 1);
}

lar_status lar_coefs_open(lar_coefs *c, const lar_problem *g) {
  *c = (lar_coefs){.p = g->x->p, .k = g->rows.k};
  lar_status st = make(c, g);
  if (st != LAR_OK) lar_coefs_close(c);
  return st;
}

void lar_coefs_close(lar_coefs *c) {
#pragma omp critical(lar_coefs)
  {
    lar_bound_free(c->bound);
    lar_reg_unref(c->reg);
  }
  lar_params_clear(&c->params);
  lar_free(c->base);
  *c = (lar_coefs){0};
}

lar_status lar_coefs_set(lar_coefs *c, double lambda) {
  c->lambda = lambda;
  for (int i = 0; i < c->n; i++)
    if (!isnan(c->base[i])) LAR_TRY(lar_bound_set(c->bound, i, c->base[i] * lambda));
  return lar_bound_refresh(c->bound, NULL);
}

lar_status lar_coefs_value(lar_coefs *c, double *out) {
  return lar_bound_values(c->bound, NULL, out);
}

lar_status lar_coefs_prox(lar_coefs *c, double step) {
  return lar_bound_prox_all(c->bound, 0, step, NULL);
}

/* ---- the largest lambda ---- */

/* Does the prox at strength lambda hold a small step along -g at 0? */
static lar_status holds(lar_coefs *c, const double *g, double lambda, bool *yes) {
  const double step = 1e-3;
  const int64_t m = c->p * c->k;
  LAR_TRY(lar_coefs_set(c, lambda));
  for (int64_t j = 0; j < m; j++) c->b[j] = -step * g[j];
  LAR_TRY(lar_coefs_prox(c, step));
  *yes = true;
  for (int64_t j = 0; j < m; j++) *yes = *yes && c->b[j] == 0;
  return LAR_OK;
}

/* Of a sum, or one of which no more is known: doubling, then halves. */
static lar_status search(lar_coefs *c, const double *g, double *out) {
  enum { HALVES = 52, DOUBLES = 200 };
  double low = 0, high = 1e-12;
  bool yes;
  LAR_TRY(holds(c, g, high, &yes));
  for (int k = 0; !yes && k < DOUBLES; k++) {
    low = high;
    high *= 2;
    LAR_TRY(holds(c, g, high, &yes));
  }
  *out = HUGE_VAL;
  if (!yes && c->convex) return LAR_OK;
  if (!yes)
    return lar_fail(LAR_EARG, "no lambda of this penalty holds every coefficient at 0; give "
                              "lambda");
  for (int k = 0; k < HALVES; k++) {
    double mid = (low + high) / 2;
    LAR_TRY(holds(c, g, mid, &yes));
    *(yes ? &high : &low) = mid;
  }
  *out = high * (1 + 1e-12); /* beyond the rounding of a prox */
  return LAR_OK;
}

lar_status lar_coefs_max(lar_coefs *c, double *out) {
  void *copy;
  bool strength = false;
  for (int i = 0; i < c->n; i++) strength = strength || c->base[i] > 0;
  if (!strength)
    return lar_fail(LAR_EARG, "%s has no strength that lambda multiplies; give lambda = { 1 }",
                    c->n > 0 ? lar_bound_name(c->bound, 0) : "the penalty");
  if (c->n == 1 && (c->known || !c->convex)) {
    LAR_TRY(lar_bound_max(c->bound, 0, out));
    *out /= c->base[0];
    return LAR_OK;
  }
  LAR_TRY(lar_alloc_raw(&copy, (size_t)(c->p * c->k) + 1, sizeof(double)));
  memcpy(copy, c->b, (size_t)(c->p * c->k) * sizeof(double));
  lar_status st = search(c, copy, out);
  lar_free(copy);
  return st;
}
