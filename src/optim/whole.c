#include "optim/whole.h"

#include <string.h>

#include "core/mem.h"
#include "grad/grad.h"
#include "grad/hessian.h"
#include "kern/copy.h"
#include "optim/pass.h"
#include "optim/step.h"

double *lar_whole_row(const lar_whole *h, int k) {
  return (double *)lar_tensor_data(&h->o->memory) + k * h->n;
}

/* ---- parameters as one vector ---- */

static lar_var *var_at(const lar_whole *h, int i) { return h->o->params.at[i].var; }

static bool is_free(const lar_whole *h, int i) { return var_at(h, i)->requires_grad; }

static int64_t numel(const lar_whole *h, int i) { return lar_tensor_numel(&var_at(h, i)->t); }

static void widen(const lar_tensor *t, double *to) {
  (t->dtype == LAR_F32 ? lar_widen_f32 : lar_widen_f64)(lar_tensor_numel(t), lar_tensor_data(t),
                                                        to);
}

static void widen_join(double share, const lar_tensor *t, double *to) {
  (t->dtype == LAR_F32 ? lar_widen_join_f32 : lar_widen_join_f64)(lar_tensor_numel(t), share,
                                                                  lar_tensor_data(t), to);
}

static void narrow(const double *from, const lar_tensor *t) {
  (t->dtype == LAR_F32 ? lar_narrow_f32 : lar_narrow_f64)(lar_tensor_numel(t), from,
                                                          lar_tensor_data(t));
}

/* A parameter as it lies, or element by element where it is a view of something wider. */
static void get(const lar_tensor *t, double *to) {
  if (lar_tensor_is_contiguous(t)) {
    widen(t, to);
    return;
  }
  int64_t at[LAR_MAX_NDIM] = {0};
  for (int64_t j = 0, n = lar_tensor_numel(t); j < n; j++) {
    int64_t where = 0;
    for (int d = 0; d < t->ndim; d++) where += at[d] * t->stride[d];
    to[j] = lar_tensor_get(t, where);
    for (int d = t->ndim - 1; d >= 0 && ++at[d] == t->shape[d]; d--) at[d] = 0;
  }
}

static void set(const double *from, const lar_tensor *t) {
  t->storage->version++;
  if (lar_tensor_is_contiguous(t)) {
    narrow(from, t);
    return;
  }
  int64_t at[LAR_MAX_NDIM] = {0};
  for (int64_t j = 0, n = lar_tensor_numel(t); j < n; j++) {
    int64_t where = 0;
    for (int d = 0; d < t->ndim; d++) where += at[d] * t->stride[d];
    lar_tensor_put(t, where, from[j]);
    for (int d = t->ndim - 1; d >= 0 && ++at[d] == t->shape[d]; d--) at[d] = 0;
  }
}

static void get_all(const lar_whole *h, double *x) {
  for (int i = 0; i < h->o->params.n; i++)
    if (is_free(h, i)) get(&var_at(h, i)->t, x), x += numel(h, i);
}

void lar_whole_put(const lar_whole *h, double *x) {
  const double *from = x;
  for (int i = 0; i < h->o->params.n; i++)
    if (is_free(h, i)) set(from, &var_at(h, i)->t), from += numel(h, i);
  get_all(h, x);
}

bool lar_whole_is_at(const lar_whole *h, int k) {
  double *now = lar_whole_row(h, LAR_START);
  get_all(h, now);
  return memcmp(now, lar_whole_row(h, k), (size_t)h->n * sizeof *now) == 0;
}

/* ---- the loss ---- */

/* The parameters that move, with room for as many values. */
static lar_status leaves(const lar_whole *h, lar_var ***x, int *n) {
  void *p;
  LAR_TRY(lar_alloc(&p, 2 * (size_t)h->o->params.n, sizeof **x));
  *x = p;
  for (int i = 0; i < h->o->params.n; i++)
    if (is_free(h, i)) (*x)[(*n)++] = var_at(h, i);
  return LAR_OK;
}

/* g += weight times dx */
static lar_status join(const lar_var *dx, double weight, double *g) {
  lar_tensor flat = {0};
  lar_status st = lar_contiguous(&flat, &dx->t, dx->t.dtype);
  if (st == LAR_OK) widen_join(weight, &flat, g);
  lar_tensor_clear(&flat);
  return st;
}

/* The gradients that the task left with the parameters, in the order of `leaves`. */
static lar_status collect(const lar_whole *h, bool wanted, double weight, double *g) {
  lar_status st = LAR_OK;
  for (int i = 0; i < h->o->params.n; i++) {
    lar_var *v = var_at(h, i), *dx = v->grad;
    v->grad = NULL;
    if (!is_free(h, i)) continue;
    if (dx != NULL && wanted && st == LAR_OK) st = join(dx, weight, g);
    lar_var_unref(dx);
    if (wanted) g += numel(h, i);
  }
  return st;
}

static lar_status learnt(const lar_whole *h, int64_t part, double *loss, double *weight,
                         double *g) {
  lar_scope s;
  bool former = lar_grad_mode(g != NULL);
  lar_scope_init(&s);
  lar_status st = h->task->learn(h->task->ctx, &s, part, g != NULL, loss, weight);
  bool wanted = st == LAR_OK && g != NULL && isfinite(*loss);
  lar_status joined = collect(h, wanted, *weight, g);
  lar_scope_clear(&s);
  lar_grad_mode(former);
  return st == LAR_OK ? joined : st;
}

/* One part's loss, its weight, and g += weight times its gradient, where there is one. */
static lar_status part_loss(lar_whole *h, int64_t part, double *loss, double *weight,
                            double *g) {
  lar_scope s;
  lar_var **x = NULL;
  int n = 0;
  if (h->task->learn != NULL) return learnt(h, part, loss, weight, g);
  bool former = lar_grad_mode(g != NULL);
  lar_scope_init(&s);
  lar_var *f = h->task->loss(h->task->ctx, &s, part, weight);
  lar_status st = s.status;
  if (st != LAR_OK) goto done;
  LAR_GO(lar_var_item(f, loss));
  if (g != NULL && !f->requires_grad)
    LAR_GO(lar_fail(LAR_EARG,
                    "%s: the loss depends on no parameter that is trained; was it "
                    "detached, or made of constants?",
                    h->o->rule->name));
  if (g == NULL || !isfinite(*loss)) goto done;
  LAR_GO(leaves(h, &x, &n));
  LAR_GO(lar_grad(f, NULL, n, x, false, x + n));
  for (int k = 0; k < n; k++) {
    if (st == LAR_OK) st = join(x[n + k], *weight, g);
    g += lar_tensor_numel(&x[k]->t);
    lar_var_unref(x[n + k]);
  }
done:
  lar_free(x);
  lar_scope_clear(&s);
  lar_grad_mode(former);
  return st;
}

static lar_status smooth_value(const lar_whole *h, double *value) {
  const lar_optim *o = h->o;
  double total;
  void *p;
  if (o->bound == NULL) return LAR_OK;
  LAR_TRY(lar_alloc(&p, (size_t)o->reg->n + 1, sizeof(double)));
  double *each = p;
  lar_status st = lar_bound_values(o->bound, each, &total);
  for (int k = 0; st == LAR_OK && k < o->reg->n; k++)
    if (lar_term_by_grad(o->reg->at[k].term)) *value += each[k];
  lar_free(p);
  return st;
}

lar_status lar_whole_smooth(const lar_whole *h, double factor, double *g) {
  lar_optim *o = h->o;
  for (int i = 0; i < o->params.n; i++) {
    if (!is_free(h, i)) continue;
    if (o->bound != NULL && lar_bound_has_grad(o->bound, i)) {
      LAR_TRY(lar_optim_like(&o->work[i], &var_at(h, i)->t));
      lar_fill(&o->work[i], 0);
      LAR_TRY(lar_bound_grad(o->bound, i, &o->work[i]));
      widen_join(factor, &o->work[i], g);
    }
    g += numel(h, i);
  }
  return LAR_OK;
}

lar_status lar_whole_eval(lar_whole *h, double *x, double *g) {
  double sum = 0, rows = 0;
  lar_whole_put(h, x);
  for (int64_t j = 0; g != NULL && j < h->n; j++) g[j] = 0;
  for (int64_t part = 0; part < h->task->parts; part++) {
    double loss = 0, weight = 1;
    LAR_TRY(part_loss(h, h->task->given + part, &loss, &weight, g));
    sum += weight * loss;
    rows += weight;
  }
  for (int64_t j = 0; g != NULL && j < h->n; j++) g[j] /= rows;
  h->value = sum / rows;
  LAR_TRY(smooth_value(h, &h->value));
  return g != NULL ? lar_whole_smooth(h, 1, g) : LAR_OK;
}

lar_status lar_whole_part(lar_whole *h, double *x, int64_t part, double *g) {
  double loss, weight;
  lar_whole_put(h, x);
  for (int64_t j = 0; j < h->n; j++) g[j] = 0;
  LAR_TRY(part_loss(h, part, &loss, &weight, g));
  for (int64_t j = 0; j < h->n; j++) g[j] /= weight;
  return LAR_OK;
}

lar_status lar_whole_prox(const lar_whole *h, double *x, double step) {
  lar_optim *o = h->o;
  lar_whole_put(h, x);
  for (int i = 0; i < o->params.n; i++)
    if (is_free(h, i) && o->bound != NULL && lar_bound_has_prox(o->bound, i))
      LAR_TRY(lar_bound_prox(o->bound, i, step, NULL));
  get_all(h, x);
  return LAR_OK;
}

/* Strengths in force, in one number: another means that the objective has changed. */
static uint64_t strengths(const lar_optim *o) {
  uint64_t sum = 1469598103934665603u;
  for (int k = 0; o->bound != NULL && k < lar_bound_terms(o->bound); k++) {
    double l = lar_bound_lambda(o->bound, k);
    uint64_t bits;
    memcpy(&bits, &l, sizeof bits);
    sum = (sum ^ bits) * 1099511628211u;
  }
  return sum;
}

lar_status lar_whole_check(lar_whole *h) {
  h->o->value = h->value;
  return isfinite(h->value)
           ? LAR_OK
           : lar_fail(LAR_EMATH, "%s: the objective is %g", h->o->rule->name, h->value);
}

static lar_status look(lar_whole *h) {
  double *point = lar_whole_row(h, LAR_POINT);
  memcpy(point, lar_whole_row(h, LAR_START), (size_t)h->n * sizeof *point);
  LAR_TRY(lar_whole_eval(h, point, lar_whole_row(h, LAR_SLOPE)));
  h->o->value = h->value;
  return LAR_OK;
}

/* The last look of a run that was saved, taken anew: it gives the same bits and leaves no
 * trace. Where it draws it gives others, and what was saved holds. */
static lar_status look_again(lar_whole *h) {
  double *slope = lar_whole_row(h, LAR_SLOPE), *kept = lar_whole_row(h, LAR_TRIAL_SLOPE);
  double value = h->o->value;
  size_t bytes = (size_t)h->n * sizeof *slope;
  if (h->task->keep == NULL) return look(h);
  memcpy(kept, slope, bytes);
  LAR_TRY(h->task->keep(h->task->ctx));
  lar_status st = look(h);
  if (!h->task->undo(h->task->ctx)) return st;
  memcpy(slope, kept, bytes);
  h->o->value = value;
  return st;
}

lar_status lar_whole_begin(lar_whole *h) {
  lar_optim *o = h->o;
  bool same = strengths(o) == o->strengths, loaded = o->loaded && same;
  bool known = h->task->stamp != 0 && h->task->stamp == o->stamp && same;
  bool here = lar_whole_is_at(h, LAR_POINT);
  o->stamp = 0;
  o->loaded = false;
  if (!here || !known) LAR_TRY((here && loaded ? look_again : look)(h));
  h->value = o->value;
  return lar_whole_check(h);
}

/* ---- curvature ---- */

/* One part's product, added up; a straight loss has none. */
static lar_status part_curve(lar_whole *h, int64_t part, double *out, double *weight) {
  const lar_task *task = h->task;
  const lar_params *p = &h->o->params;
  lar_scope s;
  bool former = lar_grad_mode(true);
  lar_scope_init(&s);
  lar_status st;
  if (task->curve != NULL) {
    st = task->curve(task->ctx, &s, part, h->o->along, h->o->bent, weight);
  } else {
    lar_var *f = task->loss(task->ctx, &s, part, weight);
    st = s.status;
    if (st == LAR_OK) st = lar_hessian_times(&s, f, p, h->o->along, h->o->bent);
  }
  for (int i = 0; i < p->n && st == LAR_OK; i++) {
    if (!is_free(h, i)) continue;
    if (h->o->bent[i] != NULL) st = join(h->o->bent[i], *weight, out);
    out += numel(h, i);
  }
  lar_scope_clear(&s);
  lar_grad_mode(former);
  return st;
}

/* Room for the direction and its product, once. */
static lar_status ready_to_curve(lar_optim *o, int64_t n) {
  if (o->bent == NULL) {
    void *p;
    LAR_TRY(lar_alloc(&p, (size_t)o->params.n + 1, sizeof *o->bent));
    o->bent = p;
  }
  if (o->along != NULL && lar_tensor_numel(&o->along->t) == n) return LAR_OK;
  lar_var_unref(o->along);
  o->along = NULL;
  return lar_var_init(&o->along, LAR_F64, 1, &n);
}

/* Penalties by the difference of their gradients on both sides: exact for squares. */
static lar_status smooth_curve(lar_whole *h, const double *v, double *out) {
  double *x = lar_whole_row(h, LAR_TRIAL), *point = lar_whole_row(h, LAR_POINT);
  double size = lar_whole_norm(h->n, v);
  double gap = cbrt(h->noise) * (1 + lar_whole_norm(h->n, point)) / size;
  if (h->o->bound == NULL || !(size > 0)) return LAR_OK;
  for (int side = -1; side <= 1; side += 2) {
    for (int64_t j = 0; j < h->n; j++) x[j] = point[j] + side * gap * v[j];
    lar_whole_put(h, x);
    LAR_TRY(lar_whole_smooth(h, side / (2 * gap), out));
  }
  lar_whole_put(h, point);
  return LAR_OK;
}

lar_status lar_whole_curve(lar_whole *h, const double *v, double *out) {
  double rows = 0;
  lar_whole_put(h, lar_whole_row(h, LAR_POINT));
  LAR_TRY(ready_to_curve(h->o, h->n));
  h->o->along->t.storage->version++;
  memcpy(lar_tensor_data(&h->o->along->t), v, (size_t)h->n * sizeof *v);
  for (int64_t j = 0; j < h->n; j++) out[j] = 0;
  for (int64_t part = 0; part < h->task->parts; part++) {
    double weight = 1;
    LAR_TRY(part_curve(h, part, out, &weight));
    rows += weight;
  }
  for (int64_t j = 0; j < h->n; j++) out[j] /= rows;
  return smooth_curve(h, v, out);
}

/* ---- what a rule takes ---- */

static lar_status takes(const lar_optim *o, const lar_bound *b, bool kinks,
                        const char *instead) {
  for (int i = 0; i < o->params.n; i++) {
    const char *name = lar_bound_sharp(b, i, kinks);
    if (name != NULL)
      return lar_fail(LAR_EARG, "%s: penalty %s acts by prox, which this rule cannot take; %s",
                      o->rule->name, name, instead);
  }
  return LAR_OK;
}

lar_status lar_whole_takes_smooth(const lar_optim *o, const lar_bound *b) {
  return takes(o, b, false, "owlqn takes l1 and elastic_net, fista any");
}

lar_status lar_whole_takes_kinks(const lar_optim *o, const lar_bound *b) {
  return takes(o, b, true, "fista takes any");
}

/* ---- an iteration ---- */

static lar_status remember(lar_whole *h) {
  lar_optim *o = h->o;
  int64_t own = o->rule->rows != NULL ? o->rule->rows(h->self) : 0;
  int64_t shape[2] = {LAR_OWN + own, h->n};
  lar_tensor *t = &o->memory;
  if (t->storage != NULL && t->shape[0] == shape[0] && t->shape[1] == shape[1]) return LAR_OK;
  lar_tensor_clear(t);
  o->stamp = 0;
  o->loaded = false;
  memset(o->number, 0, sizeof o->number);
  return lar_tensor_zeros(t, LAR_F64, 2, shape);
}

static lar_status run(lar_whole *h) {
  lar_optim *o = h->o;
  LAR_TRY(remember(h));
  get_all(h, lar_whole_row(h, LAR_START));
  lar_status st = o->rule->iterate(h);
  if (st == LAR_OK) st = lar_whole_check(h);
  if (st != LAR_OK) {
    lar_whole_put(h, lar_whole_row(h, LAR_START));
    return st;
  }
  o->t++;
  o->value = h->value;
  o->grad_norm = h->norm;
  o->done = h->done;
  o->stalled = h->stalled;
  o->stamp = h->task->stamp;
  o->strengths = strengths(o);
  return LAR_OK;
}

lar_status lar_optim_iterate(lar_optim *o, const lar_task *task, void *state) {
  lar_whole h = {.o = o, .task = task, .self = o->self, .lr = o->lr, .number = o->number};
  h.noise = 0x1p-52;
  for (int i = 0; i < o->params.n; i++) {
    if (!is_free(&h, i)) continue;
    h.n += numel(&h, i);
    if (var_at(&h, i)->t.dtype == LAR_F32) h.noise = 0x1p-22;
  }
  if (h.n == 0) return lar_fail(LAR_EARG, "%s: every parameter is frozen", o->rule->name);
  LAR_TRY(lar_optim_refresh(o, state));
  lar_status st = run(&h);
  o->refreshed = false;
  return st;
}
