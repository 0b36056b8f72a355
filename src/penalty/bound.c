/* A regulariser fixed to the parameters of a model: strengths, values, gradients, proxes. */
#include "penalty/bound.h"
#include "core/mem.h"
#include "kern/copy.h"

/* ---- strengths ---- */

static bool is_constraint(const lar_bound *b, int k) {
  const lar_penalty *type = b->reg->at[k].term->type;
  return type != NULL && (type->traits & LAR_CONSTRAINT) != 0;
}

static lar_status strength(const lar_bound *b, int k, void *state, double *out) {
  const lar_term *t = b->reg->at[k].term;
  double lambda = t->lambda;
  if (!isnan(b->set[k])) {
    *out = b->set[k];
    return LAR_OK;
  }
  if (t->lambda_fn != NULL) LAR_TRY(t->lambda_fn(t->lambda_ctx, state, &lambda));
  if (!(lambda >= 0 && lambda < HUGE_VAL))
    return lar_fail(LAR_EARG, "penalty %s: lambda = %g; it must be finite and not negative",
                    b->name[k], lar_shown(lambda));
  *out = lambda * b->reg->at[k].scale;
  return LAR_OK;
}

lar_status lar_bound_refresh(lar_bound *b, void *state) {
  for (int k = 0; k < b->reg->n; k++) {
    b->l[k] = 1;
    if (!is_constraint(b, k)) LAR_TRY(strength(b, k, state, &b->l[k]));
  }
  b->fresh = true;
  return LAR_OK;
}

static lar_status ready(lar_bound *b) { return b->fresh ? LAR_OK : lar_bound_refresh(b, NULL); }

int lar_bound_terms(const lar_bound *b) { return b->reg->n; }
const char *lar_bound_name(const lar_bound *b, int k) { return b->name[k]; }

double lar_bound_lambda(const lar_bound *b, int k) {
  const lar_addend *a = &b->reg->at[k];
  if (b->fresh) return b->l[k];
  if (is_constraint(b, k)) return 1;
  if (!isnan(b->set[k])) return b->set[k];
  return a->term->lambda_fn != NULL ? (double)NAN : a->term->lambda * a->scale;
}

bool lar_bound_is_set(const lar_bound *b, int k) { return !isnan(b->set[k]); }

lar_status lar_bound_set(lar_bound *b, int k, double lambda) {
  if (is_constraint(b, k))
    return lar_fail(LAR_EARG, "penalty %s is a constraint and has no lambda", b->name[k]);
  if (!isnan(lambda) && !(lambda >= 0 && lambda < HUGE_VAL))
    return lar_fail(LAR_EARG, "penalty %s: lambda = %g; it must be finite and not negative",
                    b->name[k], lar_shown(lambda));
  b->set[k] = lambda;
  return LAR_OK;
}

/* ---- values ---- */

static const double *data_of(const lar_tensor *t) {
  return t->storage != NULL ? lar_tensor_data(t) : NULL;
}

lar_pen_at lar_bound_at(const lar_bound *b, const piece *p) {
  return (lar_pen_at){.self = b->reg->at[p->addend].term->self,
                      .l = b->l[p->addend],
                      .weight = p->weight.storage != NULL ? &p->weight : NULL,
                      .groups = &p->groups,
                      .l1_weight = data_of(&p->l1_weight),
                      .towards = data_of(&p->towards),
                      .fisher = data_of(&p->fisher)};
}

/* l Omega(w) of a penalty written in Lua. */
static lar_status call_value(const lar_term *t, double l, const lar_tensor *w, double *value) {
  lar_var *leaf = NULL, *f = NULL;
  bool former = lar_grad_mode(false);
  lar_status st = lar_var_new(&leaf, w);
  if (st == LAR_OK) st = t->value_fn(t->ctx, l, leaf, &f);
  if (st == LAR_OK) st = lar_var_item(f, value);
  *value *= l;
  lar_grad_mode(former);
  lar_var_unref(f);
  lar_var_unref(leaf);
  return st;
}

static lar_status piece_value(const lar_bound *b, const piece *p, const lar_tensor *w,
                              double *out) {
  const lar_term *t = b->reg->at[p->addend].term;
  lar_pen_at at = lar_bound_at(b, p);
  if (t->type != NULL) return lar_penalty_value(t->type, &at, w, out);
  return call_value(t, at.l, w, out);
}

lar_status lar_bound_values(lar_bound *b, double *each, double *total) {
  lar_status st = ready(b);
  for (int k = 0; k < b->reg->n && each != NULL; k++) each[k] = 0;
  *total = 0;
  for (int i = 0; st == LAR_OK && i < b->params->n; i++) {
    const place *p = &b->places[i];
    lar_tensor w = {0};
    if (p->n == 0) continue;
    const lar_tensor *t = &b->params->at[i].var->t;
    st = lar_contiguous(&w, t, t->dtype);
    for (int k = 0; st == LAR_OK && k < p->n; k++) {
      double v = 0;
      st = piece_value(b, &p->at[k], &w, &v);
      if (each != NULL) each[p->at[k].addend] += v;
      *total += v;
    }
    lar_tensor_clear(&w);
  }
  return st;
}

/* ---- gradients ---- */

void lar_axpy(double a, const lar_tensor *x, const lar_tensor *y) {
  (y->dtype == LAR_F32 ? lar_axpy_f32 : lar_axpy_f64)(lar_tensor_numel(y), a,
                                                      lar_tensor_data(x), lar_tensor_data(y));
}

void lar_bound_dynamic(lar_bound *b, bool on) { b->dynamic = on; }

bool lar_bound_has_grad(const lar_bound *b, int i) {
  for (int k = 0; k < b->places[i].n; k++)
    if (b->places[i].at[k].by_grad) return true;
  return false;
}

static lar_status piece_grad(const lar_bound *b, piece *p, const lar_tensor *w,
                             const lar_tensor *g) {
  const lar_term *t = b->reg->at[p->addend].term;
  lar_pen_at at = lar_bound_at(b, p);
  double ignored;
  if (at.l == 0) return LAR_OK;
  if (t->type != NULL) return lar_penalty_grad(t->type, &at, w, g);
  return lar_called_gradient(b->dynamic ? NULL : &p->called, t, at.l, w, &ignored, g);
}

static lar_status gradient(lar_bound *b, int i, const lar_tensor *g, bool all) {
  const lar_tensor *t = &b->params->at[i].var->t;
  lar_tensor w = {0};
  LAR_TRY(ready(b));
  LAR_TRY(lar_contiguous(&w, t, t->dtype));
  lar_status st = LAR_OK;
  for (int k = 0; st == LAR_OK && k < b->places[i].n; k++)
    if (all || b->places[i].at[k].by_grad) st = piece_grad(b, &b->places[i].at[k], &w, g);
  lar_tensor_clear(&w);
  return st;
}

lar_status lar_bound_grad(lar_bound *b, int i, const lar_tensor *g) {
  return gradient(b, i, g, false);
}

lar_status lar_bound_grad_all(lar_bound *b, int i, const lar_tensor *g) {
  return gradient(b, i, g, true);
}

/* ---- noise ---- */

double lar_bound_noise(lar_bound *b, int i) {
  double sum = 0;
  if (ready(b) != LAR_OK) return 0;
  for (int k = 0; k < b->places[i].n; k++) {
    const lar_pen_at at = lar_bound_at(b, &b->places[i].at[k]);
    const lar_penalty *type = b->reg->at[b->places[i].at[k].addend].term->type;
    if (type == NULL || type->noise == NULL) continue;
    double std = type->noise(at.self, at.l);
    sum += std * std;
  }
  return sqrt(sum);
}

/* ---- proxes ---- */

static bool acts_by_prox(const piece *p) { return !p->by_grad || p->holds; }

bool lar_bound_has_prox(const lar_bound *b, int i) {
  for (int k = 0; k < b->places[i].n; k++)
    if (acts_by_prox(&b->places[i].at[k])) return true;
  return false;
}

bool lar_part_alike(const lar_part *a, const lar_part *b) {
  return lar_groups_same(a->at.groups, b->at.groups);
}

/* The pieces of a place that act now; with `all`, those that act by gradient too. */
static int parts_of(const lar_bound *b, const place *at, bool all, lar_part *part) {
  int n = 0;
  for (int k = 0; k < at->n; k++) {
    const piece *p = &at->at[k];
    if ((!all && !acts_by_prox(p)) || (b->l[p->addend] == 0 && !p->holds)) continue;
    part[n++] = (lar_part){
      .term = b->reg->at[p->addend].term, .at = lar_bound_at(b, p), .hold = p->by_grad && !all};
  }
  return n;
}

int lar_bound_parts(const lar_bound *b, int i, lar_part part[LAR_MAX_PARTS]) {
  const place *at = &b->places[i];
  for (int k = 0; k < at->n; k++)
    part[k] =
      (lar_part){.term = b->reg->at[at->at[k].addend].term, .at = lar_bound_at(b, &at->at[k])};
  return at->n;
}

/* The pieces that act by prox, now or when their strength is no longer 0. */
static int proxes_of(const lar_bound *b, const place *at, lar_part *part) {
  int n = 0;
  for (int k = 0; k < at->n; k++)
    if (acts_by_prox(&at->at[k]))
      part[n++] = (lar_part){.term = b->reg->at[at->at[k].addend].term,
                             .at = lar_bound_at(b, &at->at[k]),
                             .hold = at->at[k].by_grad};
  return n;
}

static bool may_fail(const lar_part *p) {
  return p->term->type == NULL || (!p->hold && (p->term->type->traits & LAR_FALLIBLE) != 0);
}

int lar_bound_proxes(const lar_bound *b, int i, lar_part *part) {
  return parts_of(b, &b->places[i], false, part);
}

bool lar_bound_prox_may_fail(const lar_bound *b) {
  for (int i = 0; i < b->params->n; i++) {
    lar_part part[LAR_MAX_PARTS];
    int n = proxes_of(b, &b->places[i], part);
    for (int k = 0; k < n; k++)
      if (may_fail(&part[k])) return true;
    if (lar_compose_plan(n, part, lar_part_alike) >= LAR_PLAN_CHAIN) return true;
  }
  return false;
}

lar_status lar_bound_composes(const lar_bound *b) {
  for (int i = 0; i < b->params->n; i++) {
    lar_part part[LAR_MAX_PARTS];
    int n = proxes_of(b, &b->places[i], part);
    if (lar_compose_plan(n, part, lar_part_alike) == LAR_PLAN_REFUSED)
      return lar_compose_refuse(n, part, b->params->at[i].name);
  }
  return LAR_OK;
}

static lar_status prox(lar_bound *b, int i, double step, const lar_tensor *metric, bool all) {
  const lar_pentry *e = &b->params->at[i];
  lar_part part[LAR_MAX_PARTS];
  lar_tensor w = {0};
  LAR_TRY(ready(b));
  int n = parts_of(b, &b->places[i], all, part);
  if (n == 0 || !(step > 0)) return LAR_OK;
  for (int k = 0; k < n; k++)
    if (!part[k].hold && (part[k].term->type != NULL ? !lar_penalty_has_prox(part[k].term->type)
                                                     : part[k].term->prox_fn == NULL))
      return lar_fail(LAR_EARG, "penalty %s has no prox: it acts by its gradient",
                      part[k].term->name);
  lar_prox_plan plan = lar_compose_plan(n, part, lar_part_alike);
  LAR_TRY(lar_contiguous(&w, &e->var->t, e->var->t.dtype));
  lar_status st =
    lar_compose_prox(plan, n, part, &b->places[i].work, &w, step, metric, e->name);
  if (st == LAR_OK && lar_tensor_data(&w) != lar_tensor_data(&e->var->t))
    st = lar_copy(&e->var->t, &w);
  lar_tensor_clear(&w);
  e->var->t.storage->version++;
  return st;
}

lar_status lar_bound_prox(lar_bound *b, int i, double step, const lar_tensor *metric) {
  return prox(b, i, step, metric, false);
}

lar_status lar_bound_prox_all(lar_bound *b, int i, double step, const lar_tensor *metric) {
  return prox(b, i, step, metric, true);
}

lar_status lar_bound_max(lar_bound *b, int i, double *out) {
  const place *p = &b->places[i];
  const lar_tensor *t = &b->params->at[i].var->t;
  const lar_term *term = b->reg->at[p->at[0].addend].term;
  lar_pen_at at = lar_bound_at(b, &p->at[0]);
  lar_tensor g = {0};
  if (term->type == NULL)
    return lar_fail(LAR_EARG, "%s is written in Lua and has no lambda_max", term->name);
  LAR_TRY(lar_contiguous(&g, t, t->dtype));
  lar_status st = lar_penalty_max(term->type, &at, &g, out);
  lar_tensor_clear(&g);
  return st;
}

/* size_j becomes old_j |size_j|^-gamma, 1/0 being infinite; what was free stays so. */
static void reweight(const lar_tensor *size, const double *old, double gamma) {
  double *to = lar_tensor_data(size);
  for (int64_t j = 0, n = lar_tensor_numel(size); j < n; j++) {
    double own = old != NULL ? old[j] : 1;
    to[j] = own == 0 ? 0 : to[j] == 0 ? HUGE_VAL : own * pow(fabs(to[j]), -gamma);
  }
}

lar_status lar_bound_adapt(lar_bound *b, int i, double gamma, lar_tensor *out, lar_tensor *l1) {
  const piece *p = &b->places[i].at[0];
  const lar_tensor *w = &b->params->at[i].var->t;
  const lar_penalty *type = b->reg->at[p->addend].term->type;
  bool grouped = (type->traits & LAR_GROUPED) != 0;
  lar_tensor flat = {0};
  lar_status st = lar_clone(&flat, w, LAR_F64);
  if (st == LAR_OK && grouped) st = lar_tensor_init(out, LAR_F64, 1, &p->groups.n);
  if (st == LAR_OK && grouped) lar_groups_norms(&p->groups, &flat, lar_tensor_data(out));
  if (st == LAR_OK && !grouped) st = lar_clone(out, &flat, LAR_F64);
  if (st == LAR_OK) reweight(out, data_of(&p->weight), gamma);
  if (st == LAR_OK && (type->traits & LAR_SOFT)) {
    st = lar_clone(l1, &flat, LAR_F64);
    if (st == LAR_OK) reweight(l1, data_of(&p->l1_weight), gamma);
  }
  lar_tensor_clear(&flat);
  return st;
}
