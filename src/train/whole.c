#include "train/whole.h"

#include <math.h>
#include <stdatomic.h>

#include "core/mem.h"
#include "kern/copy.h"
#include "train/steps.h"

/* ---- a part of the data ---- */

/* Rows into *slot, for the scope. */
static lar_var *rows_of(lar_scope *s, lar_var **slot, const lar_var *v, const int64_t *order,
                        int64_t begin, int64_t end) {
  if (v == NULL || s->status != LAR_OK) return NULL;
  lar_status st = lar_rows_again(slot, &v->t, order, begin, end);
  return st == LAR_OK ? lar_scope_own(s, lar_var_ref(*slot)) : lar_scope_fail(s, st);
}

static void add_up(lar_whole_pass *p, double loss, double rows, bool first) {
  if (first) {
    p->loss = p->rows = 0;
    for (int k = 0; k < p->nterm; k++) p->sum[k] = 0;
  }
  p->loss += loss * rows;
  p->rows += rows;
  for (int k = 0; k < p->nterm; k++) p->sum[k] += p->each[k] * rows;
}

static int64_t parts_of(const lar_fit *f) {
  return (f->data.x->t.shape[0] + f->batch_size - 1) / f->batch_size;
}

/* As the rows are dealt; from parts_of(f) on, as they were given. */
static lar_status part_of(lar_whole_pass *p, lar_scope *s, int64_t part, lar_batch *b) {
  const lar_fit *f = p->f;
  const int64_t *order = part < parts_of(f) ? p->order : NULL;
  int64_t n = f->data.x->t.shape[0], begin = part % parts_of(f) * f->batch_size;
  int64_t end = begin + f->batch_size < n ? begin + f->batch_size : n;
  lar_batch *slot = &p->slot[2 * (order == NULL) + (end - begin < f->batch_size)];
  b->x = rows_of(s, &slot->x, f->data.x, order, begin, end); /* the scope's */
  b->y = rows_of(s, &slot->y, f->data.y, order, begin, end);
  b->weight = rows_of(s, &slot->weight, f->data.weight, order, begin, end);
  return s->status;
}

static lar_status part_learn(void *ctx, lar_scope *s, int64_t part, bool slope, double *loss,
                             double *weight) {
  lar_whole_pass *p = ctx;
  lar_batch b;
  LAR_TRY(part_of(p, s, part, &b));
  lar_step step = {
    .kind = slope ? LAR_STEP_LEARN : LAR_STEP_VALUE, .batch = &b, .each = p->each};
  LAR_TRY(lar_steps_run(p->steps, s, &step));
  *loss = step.objective;
  *weight = lar_batch_rows(&b);
  add_up(p, step.loss, *weight, part % parts_of(p->f) == 0);
  return LAR_OK;
}

static lar_status part_curve(void *ctx, lar_scope *s, int64_t part, lar_var *v, lar_var **out,
                             double *weight) {
  lar_whole_pass *p = ctx;
  lar_batch b;
  LAR_TRY(part_of(p, s, part, &b));
  lar_step step = {
    .kind = LAR_STEP_CURVE, .batch = &b, .each = p->each, .along = v, .bent = out};
  *weight = lar_batch_rows(&b);
  return lar_steps_run(p->steps, s, &step);
}

/* ---- a look that leaves no trace ---- */

/* Each buffer of the model and its place among those kept; the number of them. */
static int buffers(const lar_module *m, int n, lar_tensor **at) {
  for (int j = 0; j < m->nslot; j++) {
    if (!m->slot[j].buffer) continue;
    if (at != NULL) at[n] = &m->slot[j].var->t;
    n++;
  }
  for (int j = 0; j < m->nchild; j++) n = buffers(m->child[j], n, at);
  return n;
}

static void forget(lar_whole_pass *p) {
  for (int k = 0; k < p->nkept; k++) lar_tensor_clear(&p->kept[k]);
  lar_free(p->kept);
  p->kept = NULL;
  p->nkept = 0;
}

/* With the buffers: copies of them for `save`, their values back otherwise. */
static lar_status exchange(lar_whole_pass *p, bool save) {
  void *room;
  int n = buffers(p->f->model, 0, NULL);
  LAR_TRY(lar_alloc(&room, (size_t)n + 1, sizeof(lar_tensor *)));
  lar_tensor **at = room;
  lar_status st = LAR_OK;
  buffers(p->f->model, 0, at);
  for (int k = 0; k < n && st == LAR_OK; k++) {
    st = save ? lar_clone(&p->kept[k], at[k], at[k]->dtype) : lar_copy(at[k], &p->kept[k]);
    if (!save) at[k]->storage->version++;
  }
  lar_free(room);
  return st;
}

static lar_status keep(void *ctx) {
  lar_whole_pass *p = ctx;
  void *room;
  forget(p);
  lar_rng_mark(&p->streams);
  p->nkept = buffers(p->f->model, 0, NULL);
  LAR_TRY(lar_alloc(&room, (size_t)p->nkept + 1, sizeof *p->kept));
  p->kept = room;
  return exchange(p, true);
}

static bool undo(void *ctx) {
  lar_whole_pass *p = ctx;
  lar_rng_marks now;
  bool drew = false;
  lar_rng_mark(&now);
  for (int k = 0; k < now.n; k++)
    drew = drew || k >= p->streams.n || now.at[k] != p->streams.at[k];
  lar_rng_go_back(&p->streams);
  (void)exchange(p, false); /* of the same shapes and dtypes */
  forget(p);
  return drew;
}

/* ---- an iteration ---- */

static lar_status prepare(lar_whole_pass *p, lar_fit *f, lar_steps *steps,
                          const int64_t *order) {
  static atomic_uint_fast64_t runs;
  p->f = f;
  p->steps = steps;
  p->order = order;
  if (p->stamp == 0) p->stamp = atomic_fetch_add(&runs, 1) + 1;
  if (p->each != NULL && p->nterm == f->nterm) return LAR_OK;
  void *room;
  lar_free(p->each);
  p->each = NULL;
  LAR_TRY(lar_alloc(&room, 2 * ((size_t)f->nterm + 1), sizeof(double)));
  p->each = room;
  p->sum = p->each + f->nterm + 1;
  p->nterm = f->nterm;
  return LAR_OK;
}

/* Converged, or as near as rounding lets it come; or stuck. */
static void judge(lar_whole_pass *p) {
  const double near = 1e-3;
  lar_optim *o = p->f->optim;
  if (o->first_norm == 0) o->first_norm = o->grad_norm;
  bool close = o->grad_norm <= near * fmax(o->first_norm, near);
  if (p->f->status != LAR_FIT_RUNNING) return;
  if (o->done || (o->stalled && close))
    p->f->status = LAR_FIT_CONVERGED;
  else if (o->stalled)
    p->f->status = LAR_FIT_STOPPED;
}

lar_status lar_whole_pass_run(lar_whole_pass *p, lar_fit *f, lar_steps *steps,
                              const int64_t *order) {
  if (f->data.x == NULL)
    return lar_fail(LAR_EARG,
                    "fit: %s looks at the whole data: give it as {x = ..., y = ...}, not as a "
                    "function",
                    f->optim->rule->name);
  LAR_TRY(prepare(p, f, steps, order));
  lar_optim_zero_grad(f->optim);
  if (f->epoch == 1) f->optim->first_norm = 0;
  lar_task task = {.ctx = p,
                   .stamp = p->stamp,
                   .learn = part_learn,
                   .curve = part_curve,
                   .keep = keep,
                   .undo = undo};
  task.parts = task.given = parts_of(f);
  lar_status st = lar_optim_iterate(f->optim, &task, f->hooks.state);
  if (st == LAR_EMATH && !isfinite(f->optim->value)) { /* not a prox that does not settle */
    LAR_TRY(lar_check_finite("fit: x", &f->data.x->t));
    f->status = LAR_FIT_DIVERGED;
    f->batch_loss = f->optim->value;
    return LAR_OK;
  }
  LAR_TRY(st);
  f->batch_loss = p->loss / p->rows;
  judge(p);
  return LAR_OK;
}

void lar_whole_pass_clear(lar_whole_pass *p) {
  lar_free(p->each);
  forget(p);
  for (int k = 0; k < 4; k++) lar_batch_clear(&p->slot[k]);
  *p = (lar_whole_pass){0};
}
