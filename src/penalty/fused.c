/* Proxes and gradients of a bound regulariser stretch by stretch, for a caller that has the
 * stretch at hand. */
#include <string.h>

#include "penalty/bound.h"

/* A tensor on memory that is somebody else's, for as long as the caller's block lasts. */
static lar_tensor borrow(lar_storage *s, void *data, lar_dtype dtype, int64_t n) {
  s->data = data;
  return (lar_tensor){.storage = s, .dtype = dtype, .ndim = 1, .shape = {n}, .stride = {1}};
}

static const double *moved(const double *p, int64_t by) { return p != NULL ? p + by : NULL; }

lar_pen_at lar_pen_at_from(const lar_pen_at *at, int64_t begin, lar_tensor *weight) {
  lar_pen_at own = *at;
  own.towards = moved(at->towards, begin);
  own.fisher = moved(at->fisher, begin);
  if (at->weight == NULL) return own;
  *weight = *at->weight;
  weight->offset += begin;
  own.weight = weight;
  return own;
}

/* ---- proxes ---- */

static lar_follow follow_of(const lar_part *p, int64_t most) {
  const lar_penalty *type = p->term->type;
  if (type == NULL) return LAR_FOLLOW_WHOLE;
  if (type->prox == NULL && type->rows[0] != NULL) return LAR_FOLLOW_ROWS;
  const lar_groups *G = p->at.groups;
  const unsigned needs = LAR_RADIAL | LAR_GROUPED;
  bool apart = (type->traits & needs) == needs && G->order == NULL && G->outer == 1;
  return apart && G->inner <= most ? LAR_FOLLOW_GROUPS : LAR_FOLLOW_WHOLE;
}

bool lar_compose_fuse(lar_fused *f, lar_dtype dtype, double step, bool metric, int64_t most) {
  if (f->plan != LAR_PLAN_ONE && f->plan != LAR_PLAN_SIMPLE && f->plan != LAR_PLAN_RADIAL)
    return false;
  int simple = lar_compose_simple(f->n, f->part);
  const lar_part *last = simple < f->n ? &f->part[simple] : NULL;
  double b = lar_part_total(simple, f->part);
  if (last != NULL && (f->n > simple + 1 || lar_part_euclidean(last))) return false;
  if (last != NULL && b < 0 && !metric) return false; /* steps that differ need a metric */
  f->dtype = dtype;
  f->nsimple = simple;
  f->step = step;
  f->left = metric ? step : step / (1 + step * b);
  f->folds = last != NULL && b != 0;
  f->follow = last != NULL ? follow_of(last, most) : LAR_FOLLOW_NONE;
  f->align = f->follow == LAR_FOLLOW_GROUPS ? last->at.groups->inner : 1;
  for (int k = 0; k < simple; k++) f->at[k] = lar_part_simple(&f->part[k]);
  return simple > 0 || f->follow != LAR_FOLLOW_WHOLE;
}

static void run_simple(const lar_fused *f, void *w, void *metric, int64_t begin, int64_t n) {
  const double *weight[LAR_MAX_PARTS];
  for (int k = 0; k < f->nsimple; k++) {
    const lar_tensor *t = f->part[k].at.weight;
    weight[k] = t != NULL ? (const double *)lar_tensor_data(t) + begin : NULL;
  }
  lar_simples s = {.n = f->nsimple, .at = f->at, .weight = weight, .step = f->step, .w = w};
  s.metric = metric;
  if (f->folds) s.fold = metric;
  (f->dtype == LAR_F32 ? lar_simples_f32 : lar_simples_f64)(&s, 0, n);
}

static void run_groups(const lar_fused *f, void *w, void *metric, int64_t begin, int64_t n) {
  const lar_part *p = &f->part[f->nsimple];
  const int64_t inner = p->at.groups->inner;
  lar_storage block[2];
  lar_tensor weight, to = borrow(&block[0], w, f->dtype, n);
  lar_tensor by = borrow(&block[1], metric, f->dtype, n);
  lar_groups some = {.n = n / inner, .numel = n, .outer = 1, .inner = inner};
  lar_pen_at at = lar_pen_at_from(&p->at, begin / inner, &weight);
  at.groups = &some;
  (void)lar_penalty_prox(p->term->type, &at, &to, f->left, metric != NULL ? &by : NULL);
}

void lar_fused_run(const lar_fused *f, void *w, void *metric, int64_t begin, int64_t end) {
  const lar_part *last = &f->part[f->nsimple];
  lar_tensor weight;
  if (f->nsimple > 0) run_simple(f, w, metric, begin, end - begin);
  if (f->follow == LAR_FOLLOW_GROUPS) {
    run_groups(f, w, metric, begin, end - begin);
  } else if (f->follow == LAR_FOLLOW_ROWS) {
    lar_pen_at at = lar_pen_at_from(&last->at, begin, &weight);
    last->term->type->rows[f->dtype == LAR_F64]->prox(&at, w, f->left, metric, 0, end - begin);
  }
}

lar_status lar_fused_rest(const lar_fused *f, const lar_tensor *w, const lar_tensor *metric) {
  if (f->follow != LAR_FOLLOW_WHOLE) return LAR_OK;
  return lar_part_prox(&f->part[f->nsimple], w, f->left, metric);
}

bool lar_bound_fuse(lar_bound *b, int i, lar_fused *f, double step, bool metric, int64_t most) {
  if (!(step > 0) || !b->fresh) return false;
  f->n = lar_bound_proxes(b, i, f->part);
  if (f->n == 0) return false;
  f->plan = lar_compose_plan(f->n, f->part, lar_part_alike);
  return lar_compose_fuse(f, b->params->at[i].var->t.dtype, step, metric, most);
}

bool lar_bound_is_euclidean(const lar_bound *b, int i) {
  lar_part part[LAR_MAX_PARTS];
  int n = lar_bound_proxes(b, i, part);
  for (int k = 0; k < n; k++)
    if (lar_part_euclidean(&part[k])) return true;
  return false;
}

/* ---- kinks ---- */

static bool is_kink(const lar_bound *b, const piece *p) {
  const lar_penalty *type = b->reg->at[p->addend].term->type;
  lar_simple s = {0};
  if (p->holds || type == NULL || type->simple == NULL) return false;
  type->simple(b->reg->at[p->addend].term->self, 1, &s);
  return s.lo == -HUGE_VAL && s.hi == HUGE_VAL;
}

const char *lar_bound_sharp(const lar_bound *b, int i, bool kinks) {
  const place *at = &b->places[i];
  for (int k = 0; k < at->n; k++) {
    const piece *p = &at->at[k];
    if ((!p->by_grad || p->holds) && !(kinks && is_kink(b, p))) return b->name[p->addend];
  }
  return NULL;
}

void lar_bound_kinks(const lar_bound *b, int i, double *kink, double *bend) {
  lar_part part[LAR_MAX_PARTS];
  int n = lar_bound_proxes(b, i, part);
  int64_t numel = lar_tensor_numel(&b->params->at[i].var->t);
  for (int64_t j = 0; j < numel; j++) kink[j] = bend[j] = 0;
  for (int k = 0; k < n; k++) {
    lar_simple s = lar_part_simple(&part[k]);
    const lar_tensor *t = part[k].at.weight;
    const double *weight = t != NULL ? lar_tensor_data(t) : NULL;
    for (int64_t j = 0; j < numel; j++) {
      double share = weight != NULL ? weight[j] : 1;
      kink[j] += s.a * share;
      bend[j] += s.b * share;
    }
  }
}

/* ---- gradients ---- */

bool lar_bound_streams(const lar_bound *b, int i) {
  const place *p = &b->places[i];
  for (int k = 0; k < p->n; k++) {
    const lar_penalty *type = b->reg->at[p->at[k].addend].term->type;
    if (p->at[k].by_grad && (type == NULL || type->grad != NULL || type->rows[0] == NULL))
      return false;
  }
  return b->fresh;
}

void lar_bound_grad_rows(const lar_bound *b, int i, const void *w, void *g, int64_t begin,
                         int64_t end) {
  const place *p = &b->places[i];
  bool wide = b->params->at[i].var->t.dtype == LAR_F64;
  for (int k = 0; k < p->n; k++) {
    lar_tensor weight;
    lar_pen_at at = lar_bound_at(b, &p->at[k]);
    if (!p->at[k].by_grad || at.l == 0) continue;
    at = lar_pen_at_from(&at, begin, &weight);
    b->reg->at[p->at[k].addend].term->type->rows[wide]->grad(&at, w, g, 0, end - begin);
  }
}

/* A smooth one of the simple family is b/2 w^2. */
double lar_bound_decay(const lar_bound *b, int i) {
  const place *p = &b->places[i];
  double strength = 0;
  for (int k = 0; k < p->n; k++) {
    const lar_penalty *type = b->reg->at[p->at[k].addend].term->type;
    lar_pen_at at = lar_bound_at(b, &p->at[k]);
    lar_simple s;
    if (!p->at[k].by_grad || at.l == 0) continue;
    if (strength != 0 || at.weight != NULL || type == NULL || type->simple == NULL ||
        (type->traits & LAR_SMOOTH) == 0)
      return 0;
    type->simple(at.self, at.l, &s);
    strength = s.b;
  }
  return strength;
}
