#include "optim/step.h"

#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"
#include "kern/gemm.h"
#include "optim/pass.h"

void lar_optim_zero_grad(lar_optim *o) {
  o->refreshed = false;
  o->collected = 0;
  for (int i = 0; i < o->params.n; i++) {
    lar_var_unref(o->params.at[i].var->grad);
    o->params.at[i].var->grad = NULL;
    lar_optim_factors(o, i, NULL, NULL);
  }
}

static lar_tensor *param(const lar_optim *o, int i) { return &o->params.at[i].var->t; }

/* ---- tensors kept from step to step ---- */

/* A contiguous tensor like w. */
lar_status lar_optim_like(lar_tensor *t, const lar_tensor *w) {
  if (t->storage != NULL && t->dtype == w->dtype) return LAR_OK;
  lar_tensor_clear(t);
  return lar_tensor_zeros(t, w->dtype, w->ndim, w->shape);
}

/* The same, with the values it has in another dtype. */
static lar_status state_like(lar_tensor *t, const lar_tensor *w) {
  if (t->storage == NULL || t->dtype == w->dtype) return lar_optim_like(t, w);
  lar_tensor former = *t;
  *t = (lar_tensor){0};
  lar_status st = lar_clone(t, &former, w->dtype);
  if (st == LAR_OK)
    lar_tensor_clear(&former);
  else
    *t = former;
  return st;
}

lar_status lar_optim_ready(lar_optim *o, int i) {
  const lar_tensor *w = param(o, i);
  unsigned uses = o->rule->uses != NULL ? o->rule->uses(lar_optim_self(o, i)) : ~0u;
  for (int k = 0; k < o->rule->nstate; k++)
    if (uses & (1u << k)) LAR_TRY(state_like(&o->state[i * LAR_RULE_STATES + k], w));
  if (o->ema == 0) return LAR_OK;
  LAR_TRY(lar_optim_like(&o->backup[i], w));
  if (o->average[i].storage == NULL) return lar_clone(&o->average[i], w, w->dtype);
  return state_like(&o->average[i], w);
}

/* Room for the metric of parameter i, which every parameter in its turn uses. */
static lar_status need_metric(lar_optim *o, int i) {
  const lar_tensor *w = param(o, i);
  size_t bytes = (size_t)lar_tensor_numel(w) * lar_dtype_size(w->dtype);
  if (o->metric != NULL && o->metric->bytes >= bytes) return LAR_OK;
  lar_storage_unref(o->metric);
  o->metric = NULL;
  return lar_storage_new(&o->metric, bytes);
}

static lar_tensor metric_of(const lar_optim *o, const lar_tensor *w) {
  lar_tensor m = {.storage = o->metric, .dtype = w->dtype, .ndim = w->ndim};
  memcpy(m.shape, w->shape, sizeof m.shape);
  lar_shape_strides(m.ndim, m.shape, m.stride);
  return m;
}

/* ---- passes over one tensor ---- */

typedef struct pass {
  const lar_tensor *x, *y, *z;
  double a, b, *part;
  int64_t grain;
} pass;

static void *from(const lar_tensor *t, int64_t at) {
  return (char *)lar_tensor_data(t) + at * (int64_t)lar_dtype_size(t->dtype);
}

static double squares_of(lar_dtype dtype, int64_t n, const void *x) {
  return (dtype == LAR_F32 ? lar_squares_f32 : lar_squares_f64)(n, x);
}

static double squares_join(lar_dtype dtype, int64_t n, const void *x, double times,
                           const void *y, void *out) {
  return (dtype == LAR_F32 ? lar_squares_join_f32 : lar_squares_join_f64)(n, x, times, y, out);
}

static void clip(lar_dtype dtype, int64_t n, void *x, double scale, double bound) {
  (dtype == LAR_F32 ? lar_clip_f32 : lar_clip_f64)(n, x, scale, bound);
}

static void lerp(lar_dtype dtype, int64_t n, void *x, const void *y, double share) {
  (dtype == LAR_F32 ? lar_lerp_f32 : lar_lerp_f64)(n, x, y, share);
}

static void squares_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  p->part[begin / p->grain] = squares_of(p->x->dtype, end - begin, from(p->x, begin));
}

static void inverse_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  p->part[begin / p->grain] =
    (p->x->dtype == LAR_F32 ? lar_inverse_squares_f32
                            : lar_inverse_squares_f64)(end - begin, from(p->x, begin));
}

static void lerp_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  lerp(p->x->dtype, end - begin, from(p->x, begin), from(p->y, begin), p->a);
}

static void even_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  (p->x->dtype == LAR_F32 ? lar_even_f32 : lar_even_f64)(
    end - begin, from(p->x, begin), from(p->y, begin), from(p->z, begin), p->a);
}

static void distance_part(void *ctx, int64_t begin, int64_t end) {
  const pass *p = ctx;
  p->part[begin / p->grain] = (p->x->dtype == LAR_F32 ? lar_distance_f32 : lar_distance_f64)(
    end - begin, from(p->x, begin), from(p->y, begin));
}

/* The sum of what the body leaves for each of a few chunks. */
static double total_of(pass *p, lar_par_body *body) {
  enum { PARTS = 256 };
  double part[PARTS], sum = 0;
  int64_t n = lar_tensor_numel(p->x), grain = (n + PARTS - 1) / PARTS;
  p->part = part;
  p->grain = grain < LAR_STEP_GRAIN ? LAR_STEP_GRAIN : grain;
  lar_par_for(n, p->grain, body, p);
  for (int64_t k = 0; k * p->grain < n; k++) sum += part[k];
  p->part = NULL;
  return sum;
}

static double total(const lar_tensor *t, lar_par_body *body) {
  pass p = {.x = t};
  return total_of(&p, body);
}

double lar_optim_squares(const lar_tensor *t) { return total(t, squares_part); }

/* ---- before the pass ---- */

static bool has_prox(const lar_optim *o, int i) {
  return o->bound != NULL && lar_bound_has_prox(o->bound, i);
}

/* How a parameter will move; everything that takes memory. */
static lar_status find_way(lar_optim *o, int i, bool keep) {
  lar_way *m = &o->way[i];
  const lar_tensor *t = param(o, i);
  double scale = o->group[i] >= 0 ? o->groups[o->group[i]].lr_scale : 1;
  const lar_rule *rule = o->rule;
  LAR_TRY(lar_optim_ready(o, i));
  LAR_TRY(lar_contiguous(&m->w, t, t->dtype));
  m->lr = o->lr * scale;
  m->step = m->lr * (rule->gain != NULL ? rule->gain(lar_optim_self(o, i), o->t + 1) : 1);
  m->decay = m->streams && !m->settled ? lar_bound_decay(o->bound, i) : 0;
  m->prox = has_prox(o, i);
  m->metric = m->prox && rule->diagonal;
  m->uniform = m->metric && lar_bound_is_euclidean(o->bound, i);
  if (m->uniform && rule->dual)
    return lar_fail(LAR_EARG,
                    "%s: the prox of the penalty on '%s' knows no metric, and this rule has no "
                    "step without one; take adam or sgd",
                    rule->name, o->params.at[i].name);
  m->fuses = m->prox && !m->uniform && !rule->trust &&
             lar_bound_fuse(o->bound, i, &m->fused, m->step, rule->diagonal, LAR_STEP_MOST);
  m->after = rule->trust || (m->prox && (!m->fuses || m->fused.follow == LAR_FOLLOW_WHOLE));
  m->averages = o->ema > 0 && !keep && !m->after;
  int64_t align = m->fuses ? m->fused.align : 1, row = t->ndim == 2 ? t->shape[1] : 0;
  if (row > 0 && row <= LAR_STEP_MOST && row % align == 0) align = row;
  m->block = align < LAR_STEP_BLOCK ? LAR_STEP_BLOCK / align * align : align;
  if (m->factors != NULL &&
      (m->block % row != 0 || !lar_gemm_rows_room(&m->factors->a, &m->factors->b)))
    LAR_TRY(lar_optim_make_whole(o, i));
  if (m->after && m->metric) LAR_TRY(need_metric(o, i));
  if (!keep && !m->uniform && !rule->trust) return LAR_OK;
  LAR_TRY(lar_optim_like(&o->backup[i], t));
  return lar_copy(&o->backup[i], t);
}

static void let_go(lar_optim *o) {
  for (int i = 0; i < o->params.n; i++) lar_tensor_clear(&o->way[i].w);
}

lar_status lar_optim_refresh(lar_optim *o, void *state) {
  if (o->bound != NULL) LAR_TRY(lar_bound_refresh(o->bound, state));
  o->refreshed = true;
  return LAR_OK;
}

/* Everything that can fail for want of memory or by a callback, before anything moves. */
static lar_status prepare(lar_optim *o, void *state, bool keep) {
  if (!o->refreshed) LAR_TRY(lar_optim_refresh(o, state));
  o->refreshed = false;
  if (o->bound != NULL) LAR_TRY(lar_bound_seen(o->bound));
  LAR_TRY(lar_optim_gradients(o));
  for (int i = 0; i < o->params.n; i++)
    if (o->way[i].moves) LAR_TRY(find_way(o, i, keep));
  return LAR_OK;
}

/* ---- the pass ---- */

typedef union room {
  float f32[LAR_STEP_MOST];
  double f64[LAR_STEP_MOST];
} room;

/* Averages forget the start sooner than the decay alone would. */
static double share_of(const lar_optim *o) {
  double t = (double)o->t;
  return 1 - fmin(o->ema, (1 + t) / (10 + t));
}

/* The gradient of a stretch as the rule will see it, and the squares of what it was: it stays
 * where it is if it was made for the pass, else goes into the room. */
static const void *finished(const lar_optim *o, lar_chunk *c, int64_t at, int64_t n, void *g,
                            room *other) {
  const lar_way *m = &o->way[c->i];
  double shrink = lar_optim_shrink(o), limit = lar_optim_limit(o);
  bool clips = shrink < 1 || limit < HUGE_VAL;
  if (m->settled) return g;
  if (m->decay != 0 && !clips && o->clip_norm == 0) {
    c->squares += squares_join(m->w.dtype, n, g, m->decay, from(&m->w, at), other);
    return other;
  }
  if (o->clip_norm == 0) c->squares += squares_of(m->w.dtype, n, g);
  if (!clips && !m->streams) return g;
  void *own = m->factors != NULL ? g : other;
  if (own != g) memcpy(own, g, (size_t)n * lar_dtype_size(m->w.dtype));
  if (clips) clip(m->w.dtype, n, own, shrink, limit);
  if (m->streams) lar_bound_grad_rows(o->bound, c->i, from(&m->w, at), own, at, at + n);
  return own;
}

static void advance(const lar_optim *o, lar_chunk *c, int64_t at, int64_t n, void *gradient) {
  const int i = c->i;
  const lar_way *m = &o->way[i];
  room grad, steps;
  void *state[LAR_RULE_STATES] = {NULL}, *w = from(&m->w, at), *metric = NULL;
  const void *g = finished(o, c, at, n, gradient, &grad);
  for (int k = 0; k < o->rule->nstate; k++) {
    const lar_tensor *s = &o->state[i * LAR_RULE_STATES + k];
    if (s->storage != NULL) state[k] = from(s, at);
  }
  if (m->metric && m->after) {
    lar_tensor whole = metric_of(o, &m->w);
    metric = from(&whole, at);
  } else if (m->metric) {
    metric = &steps;
  }
  o->rule->update[m->w.dtype == LAR_F64](lar_optim_self(o, i), m->lr, o->t, n, w, g, state,
                                         metric);
  if (m->fuses) lar_fused_run(&m->fused, w, metric, at, at + n);
  if (m->averages) lerp(m->w.dtype, n, from(&o->average[i], at), w, share_of(o));
}

/* Other threads have read this part of the parameter in the products of the passes before: all
 * of it is asked for at once, to be written, and does not wait for them line by line. (The
 * compiler takes a call of a function that does nothing else for one of no use.) */
static inline __attribute__((always_inline)) void claim(const lar_way *m, int64_t at,
                                                        int64_t n) {
  enum { LINE = 64 };
  const char *w = from(&m->w, at);
  for (int64_t k = 0; k < n * (int64_t)lar_dtype_size(m->w.dtype); k += LINE)
    __builtin_prefetch(w + k, 1);
}

/* The stretches of a chunk, whose gradient is at g. */
static void run_stretches(const lar_optim *o, lar_chunk *c, char *g) {
  const lar_way *m = &o->way[c->i];
  size_t size = lar_dtype_size(m->w.dtype);
  for (int64_t at = c->begin; at < c->end; at += m->block, g += (size_t)m->block * size) {
    int64_t n = c->end - at < m->block ? c->end - at : m->block;
    claim(m, at, n);
    advance(o, c, at, n, g);
  }
}

/* The same for rows of a product, which are made first and stay in the cache. */
static void run_rows(const lar_optim *o, lar_chunk *c) {
  const lar_factors *f = o->way[c->i].factors;
  _Alignas(64) double made[LAR_STEP_GRAIN];
  int64_t row = f->b.shape[1];
  lar_gemm_rows(&f->a, &f->b, f->packed, c->begin / row, (c->end - c->begin) / row, made);
  run_stretches(o, c, (char *)made);
}

static void run_chunk(void *ctx, int64_t first, int64_t last) {
  const lar_optim *o = ctx;
  for (int64_t k = first; k < last; k++) {
    lar_chunk *c = &o->chunk[k];
    const lar_way *m = &o->way[c->i];
    if (m->factors != NULL)
      run_rows(o, c);
    else
      run_stretches(o, c, from(m->g, c->begin));
  }
}

/* Chunks of the first or second half of parameter i after the first `at`; how many there are
 * then. Without room, counted only. */
static size_t cut(lar_optim *o, int i, int half, size_t at) {
  const lar_way *m = &o->way[i];
  int64_t n = lar_tensor_numel(&m->w), grain = n;
  if (n > m->block) {
    int64_t many = LAR_STEP_GRAIN / m->block;
    grain = m->block * (many > 0 ? many : 1);
  }
  for (int64_t begin = 0; begin < n; begin += grain) {
    if ((2 * begin >= n) != (half != 0)) continue;
    if (at < o->nchunk)
      o->chunk[at] =
        (lar_chunk){.i = i, .begin = begin, .end = n - begin < grain ? n : begin + grain};
    at++;
  }
  return at;
}

/* Chunks of all parameters: first those that are done in the pass, *apart of them. Of two
 * threads each takes half of every parameter, as in the products of the passes before. */
static size_t cut_all(lar_optim *o, size_t *apart) {
  size_t n = 0;
  for (int half = 0; half < 2; half++)
    for (int i = o->params.n - 1; i >= 0; i--)
      if (o->way[i].moves && !o->way[i].after) n = cut(o, i, half, n);
  *apart = n;
  for (int i = 0; i < o->params.n; i++)
    for (int half = 0; half < 2; half++)
      if (o->way[i].moves && o->way[i].after) n = cut(o, i, half, n);
  return n;
}

/* The chunks of a step, n of them, with room for all. */
static lar_status find_chunks(lar_optim *o, size_t *apart, size_t *n) {
  void *p = o->chunk;
  *n = cut_all(o, apart);
  if (*n <= o->nchunk) return LAR_OK;
  LAR_TRY(lar_grow(&p, &o->nchunk, *n, sizeof *o->chunk));
  o->chunk = p;
  (void)cut_all(o, apart);
  return LAR_OK;
}

/* ---- after it ---- */

/* One step for the whole tensor: the root mean square of the divisors, which keeps the length
 * of a step. Only with it is a proximal step without a metric one of the same descent. */
static double even_out(lar_optim *o, int i) {
  const lar_way *m = &o->way[i];
  lar_tensor metric = metric_of(o, &m->w);
  int64_t n = lar_tensor_numel(&m->w);
  double mean = total(&metric, inverse_part) / (double)n;
  pass p = {.x = &m->w, .y = &o->backup[i], .z = &metric, .a = 1 / sqrt(mean)};
  if (!(mean > 0)) return 0; /* no step has been taken */
  lar_par_for(n, LAR_STEP_GRAIN, even_part, &p);
  return p.a;
}

/* The way gone becomes as long as the parameter was, times lr; by how much that is. */
static double trust(lar_optim *o, int i) {
  const lar_way *m = &o->way[i];
  const lar_tensor *was = &o->backup[i];
  pass p = {.x = &m->w, .y = was};
  double size = sqrt(lar_optim_squares(was)), gone = sqrt(total_of(&p, distance_part));
  if (!(size > 0 && gone > 0 && m->lr > 0)) return 1;
  double ratio = size * m->lr / gone;
  p.a = 1 - ratio; /* back towards where it was, or on */
  lar_par_for(lar_tensor_numel(was), LAR_STEP_GRAIN, lerp_part, &p);
  return ratio;
}

/* The rest of a parameter's prox, and home. */
static lar_status finish(lar_optim *o, int i) {
  lar_way *m = &o->way[i];
  lar_tensor *t = param(o, i), metric;
  const lar_tensor *by = NULL;
  double step = m->step;
  if (m->metric && !m->uniform) metric = metric_of(o, &m->w), by = &metric;
  if (m->uniform) step *= even_out(o, i);
  if (o->rule->trust) step *= trust(o, i);
  lar_status st = m->after && m->fuses ? lar_fused_rest(&m->fused, &m->w, by) : LAR_OK;
  if (st == LAR_OK && lar_tensor_data(&m->w) != lar_tensor_data(t)) st = lar_copy(t, &m->w);
  t->storage->version++;
  if (st == LAR_OK && m->prox && !m->fuses) st = lar_bound_prox(o->bound, i, step, by);
  return st;
}

static lar_status average(lar_optim *o, int i) {
  const lar_tensor *t = param(o, i);
  lar_tensor w = {0};
  if (o->ema == 0 || o->way[i].averages) return LAR_OK;
  LAR_TRY(lar_contiguous(&w, t, t->dtype));
  pass p = {.x = &o->average[i], .y = &w, .a = share_of(o)};
  lar_par_for(lar_tensor_numel(&w), LAR_STEP_GRAIN, lerp_part, &p);
  lar_tensor_clear(&w);
  return LAR_OK;
}

static void restore(lar_optim *o) {
  for (int i = 0; i < o->params.n; i++) {
    lar_tensor *w = param(o, i);
    if (!o->way[i].moves || o->backup[i].storage == NULL || o->backup[i].dtype != w->dtype)
      continue;
    (void)lar_copy(w, &o->backup[i]);
    w->storage->version++;
  }
}

/* ---- a step ---- */

static void run(lar_optim *o, size_t from_chunk, size_t to_chunk) {
  lar_optim part = *o;
  part.chunk = o->chunk + from_chunk;
  lar_par_for((int64_t)(to_chunk - from_chunk), 1, run_chunk, &part);
}

/* Parameters that are done in the pass in one go; then each of the others, which share the
 * room for a metric. */
static lar_status move(lar_optim *o, size_t apart, size_t n) {
  run(o, 0, apart);
  for (int i = 0; i < o->params.n; i++)
    if (o->way[i].moves && !o->way[i].after) LAR_TRY(finish(o, i));
  for (size_t k = apart, end; k < n; k = end) {
    int i = o->chunk[k].i;
    for (end = k; end < n && o->chunk[end].i == i;) end++;
    run(o, k, end);
    LAR_TRY(finish(o, i));
  }
  double sum = o->grad_norm * o->grad_norm;
  for (size_t k = 0; k < n; k++) sum += o->chunk[k].squares;
  if (o->clip_norm == 0) o->grad_norm = sqrt(sum);
  return LAR_OK;
}

static lar_status act(lar_optim *o, void *state) {
  bool keep = o->bound != NULL && lar_bound_prox_may_fail(o->bound);
  size_t apart, n;
  LAR_TRY(prepare(o, state, keep));
  LAR_TRY(find_chunks(o, &apart, &n));
  LAR_TRY(lar_optim_pack(o));
  o->t++;
  lar_status st = move(o, apart, n);
  if (st != LAR_OK) restore(o);
  for (int i = 0; st == LAR_OK && i < o->params.n; i++)
    if (o->way[i].moves) st = average(o, i);
  return st;
}

lar_status lar_optim_step(lar_optim *o, void *state) {
  if (o->rule->iterate != NULL)
    return lar_fail(LAR_EARG,
                    "%s: a step needs the loss as a function: opt:step(function() return "
                    "loss(net(x), y) end)",
                    o->rule->name);
  lar_optim_descend(o);
  lar_optim_collected(o);
  lar_status st = act(o, state);
  let_go(o);
  for (int i = 0; i < o->params.n; i++) lar_optim_factors(o, i, NULL, NULL);
  o->collected = 0;
  return st;
}
