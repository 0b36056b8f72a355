/* What decides, beside the elements of tensors, what a step does. */
#include "penalty/bound.h"
#include "train/steps.h"

static void put_int(lar_key *k, int64_t v) { lar_key_put(k, &v, sizeof v); }
static void put_pointer(lar_key *k, const void *p) {
  lar_key_put(k, (const void *)&p, sizeof p);
}

void lar_key_module(lar_key *k, const lar_module *m) {
  put_pointer(k, m);
  put_int(k, m->training + 2 * m->nchild);
  lar_key_put(k, m->self, m->type->size);
  for (int j = 0; j < m->nslot; j++) {
    put_pointer(k, m->slot[j].var);
    put_int(k, m->slot[j].var->requires_grad);
  }
  for (int j = 0; j < m->nchild; j++) lar_key_module(k, m->child[j]);
}

static void put_loss(lar_key *k, const lar_criterion *c) {
  put_pointer(k, c);
  if (c == NULL) return;
  put_pointer(k, c->type);
  lar_key_put(k, &c->reduction, sizeof c->reduction);
  lar_key_put(k, c->self, c->type->size);
  for (int e = 0; e < LAR_LOSS_MAX_EXTRA; e++) put_pointer(k, c->extra[e]);
}

/* Penalties of the forward pass with their strengths, and noise on weights. */
static void put_penalty(lar_key *k, lar_optim *o) {
  lar_bound *b = o->bound;
  put_pointer(k, o->reg);
  if (b == NULL) return;
  for (int j = 0; j < b->reg->n; j++) {
    const lar_term *t = b->reg->at[j].term;
    if (!lar_bound_is_forward(b, j)) continue;
    put_pointer(k, t);
    lar_key_put(k, &b->l[j], sizeof b->l[j]);
    lar_key_put(k, t->self, t->type->size);
  }
  for (int i = 0; i < o->params.n; i++) {
    double std = lar_bound_noise(b, i);
    if (std != 0) put_int(k, i), lar_key_put(k, &std, sizeof std);
  }
}

void lar_key_step(lar_key *k, const lar_fit *f, const lar_batch *b) {
  lar_key_empty(k);
  lar_key_layout(k, b->x);
  lar_key_layout(k, b->y);
  lar_key_layout(k, b->weight);
  lar_key_module(k, f->model);
  put_loss(k, f->loss);
  put_penalty(k, f->optim);
  put_int(k, lar_grad_enabled());
  put_int(k, (int64_t)lar_default_dtype);
}

static bool module_calls(const lar_module *m) {
  bool yes = m->call != NULL;
  for (int j = 0; !yes && j < m->nchild; j++) yes = module_calls(m->child[j]);
  return yes;
}

bool lar_key_has_calls(const lar_fit *f) {
  const lar_bound *b = f->optim->bound;
  bool yes = f->loss == NULL || module_calls(f->model);
  for (int j = 0; b != NULL && !yes && j < b->reg->n; j++)
    yes =
      lar_bound_is_forward(b, j) && b->reg->at[j].on != NULL && b->reg->at[j].on->match != NULL;
  return yes;
}
