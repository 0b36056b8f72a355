/* The gradients of a step: found, added up, clipped, or left to the pass as factors. */
#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"
#include "kern/gemm.h"
#include "optim/pass.h"
#include "optim/step.h"

void lar_optim_factors(lar_optim *o, int i, const lar_tensor *a, const lar_tensor *b) {
  lar_factors *f = &o->factor[i];
  lar_tensor_clear(&f->a);
  lar_tensor_clear(&f->b);
  if (a == NULL || b == NULL) return;
  lar_tensor_ref(&f->a, a);
  lar_tensor_ref(&f->b, b);
}

bool lar_optim_takes_factors(const lar_optim *o) {
  return o->clip_norm == 0 && o->sam == 0 && o->rule->iterate == NULL;
}

const lar_tensor *lar_optim_gradient(const lar_optim *o, int i) {
  const lar_var *v = o->params.at[i].var;
  if (o->collected > 0) return o->sum[i].storage != NULL ? &o->sum[i] : NULL;
  return v->grad != NULL ? &v->grad->t : NULL;
}

static bool has_grad(const lar_optim *o, int i) {
  return o->bound != NULL && lar_bound_has_grad(o->bound, i);
}

/* The two whose product is the gradient, or NULL. */
static lar_factors *factors_of(const lar_optim *o, int i) {
  bool other = lar_optim_gradient(o, i) != NULL || o->collected > 0;
  return other || o->factor[i].a.storage == NULL ? NULL : &o->factor[i];
}

static bool moves(const lar_optim *o, int i) {
  bool asked = lar_optim_gradient(o, i) != NULL || factors_of(o, i) != NULL || has_grad(o, i) ||
               (o->bound != NULL && lar_bound_has_prox(o->bound, i));
  return o->params.at[i].var->requires_grad && asked;
}

/* The product of the factors, in the optimiser's copy. */
lar_status lar_optim_make_whole(lar_optim *o, int i) {
  lar_way *m = &o->way[i];
  const lar_factors *f = m->factors;
  m->factors = NULL;
  m->g = &o->work[i];
  LAR_TRY(lar_optim_like(&o->work[i], &o->params.at[i].var->t));
  return lar_gemm(&o->work[i], &f->a, &f->b, 1, 0);
}

/* The gradient where it lies, when it can be read there; else the optimiser's copy. */
static lar_status gather(lar_optim *o, int i) {
  const lar_tensor *w = &o->params.at[i].var->t, *g = lar_optim_gradient(o, i);
  lar_way *m = &o->way[i];
  m->factors = factors_of(o, i);
  if (g != NULL && !lar_tensor_same_shape(g, w))
    return lar_fail(LAR_ESHAPE, "%s: the gradient of '%s' has shape %s, not %s", o->rule->name,
                    o->params.at[i].name, lar_tensor_text(g), lar_tensor_text(w));
  m->streams = has_grad(o, i);
  m->settled = m->streams && !lar_bound_streams(o->bound, i);
  m->g = g;
  if (m->factors != NULL)
    return m->settled || o->clip_norm > 0 ? lar_optim_make_whole(o, i) : LAR_OK;
  if (g != NULL && g->dtype == w->dtype && !m->settled && lar_tensor_is_contiguous(g))
    return LAR_OK;
  m->g = &o->work[i];
  LAR_TRY(lar_optim_like(&o->work[i], w));
  if (g != NULL) return lar_copy(&o->work[i], g);
  lar_fill(&o->work[i], 0);
  return LAR_OK;
}

double lar_optim_shrink(const lar_optim *o) {
  return o->clip_norm > 0 && o->grad_norm > o->clip_norm ? o->clip_norm / o->grad_norm : 1;
}

double lar_optim_limit(const lar_optim *o) {
  return o->clip_value > 0 ? o->clip_value : HUGE_VAL;
}

typedef struct clipping {
  const lar_tensor *x;
  double scale, bound;
} clipping;

static void clip_part(void *ctx, int64_t begin, int64_t end) {
  const clipping *c = ctx;
  char *x = lar_tensor_data(c->x);
  x += begin * (int64_t)lar_dtype_size(c->x->dtype);
  (c->x->dtype == LAR_F32 ? lar_clip_f32 : lar_clip_f64)(end - begin, x, c->scale, c->bound);
}

/* Gradients, where they are: those that cannot be finished in the pass are finished here. The
 * norm is only needed beforehand to clip by it; else the pass adds it up. */
lar_status lar_optim_gradients(lar_optim *o) {
  double sum = 0;
  for (int i = 0; i < o->params.n; i++) {
    lar_way *m = &o->way[i];
    m->moves = moves(o, i);
    if (!m->moves) continue;
    LAR_TRY(gather(o, i));
    if (o->clip_norm > 0 || m->settled) sum += lar_optim_squares(m->g);
  }
  o->grad_norm = sqrt(sum);
  for (int i = 0; i < o->params.n; i++) {
    if (!o->way[i].moves || !o->way[i].settled) continue;
    clipping c = {&o->work[i], lar_optim_shrink(o), lar_optim_limit(o)};
    if (c.scale < 1 || c.bound < HUGE_VAL)
      lar_par_for(lar_tensor_numel(c.x), LAR_STEP_GRAIN, clip_part, &c);
    LAR_TRY(lar_bound_grad(o->bound, i, c.x));
  }
  return LAR_OK;
}

static const lar_factors *factors_in_pass(const lar_optim *o, int i) {
  return o->way[i].moves ? o->way[i].factors : NULL;
}

static size_t room_of(const lar_factors *f) {
  enum { LINE = 64 };
  return (lar_gemm_rows_room(&f->a, &f->b) + LINE - 1) / LINE * LINE;
}

static lar_status need_room(lar_optim *o) {
  size_t bytes = 0;
  for (int i = 0; i < o->params.n; i++)
    if (factors_in_pass(o, i) != NULL) bytes += room_of(factors_in_pass(o, i));
  if (bytes <= o->packed_bytes) return LAR_OK;
  lar_free(o->packed);
  o->packed = NULL;
  o->packed_bytes = 0;
  LAR_TRY(lar_alloc_raw(&o->packed, bytes, 1));
  o->packed_bytes = bytes;
  return LAR_OK;
}

lar_status lar_optim_pack(lar_optim *o) {
  LAR_TRY(need_room(o));
  char *at = o->packed;
  for (int i = 0; i < o->params.n; i++) {
    const lar_factors *f = factors_in_pass(o, i);
    if (f == NULL) continue;
    o->factor[i].packed = at;
    lar_gemm_rows_pack(&f->a, &f->b, at);
    at += room_of(f);
  }
  return LAR_OK;
}
