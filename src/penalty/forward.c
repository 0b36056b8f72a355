/* Penalties of a forward pass: what of it each of them sees. */
#include <string.h>

#include "core/mem.h"
#include "op/calc.h"
#include "penalty/bound.h"

/* By the layer's kind or its name; a wildcard means layers, not the containers around them. */
static bool listed(const lar_on *on, const lar_output *o) {
  for (int k = 0; k < on->n; k++) {
    const char *glob = on->names[k];
    if (strcmp(glob, "activation") == 0 && o->activation) return true;
    if (o->container && strpbrk(glob, "*?") != NULL) continue;
    if (lar_glob(glob, o->name) || lar_glob(glob, o->kind)) return true;
  }
  return false;
}

static lar_status covers(const lar_addend *a, const lar_output *o, bool *yes) {
  const char *kind = a->term->type->see;
  if (a->on == NULL)
    *yes = kind != NULL ? strcmp(o->kind, kind) == 0 : o->activation;
  else if (a->on->match != NULL) {
    lar_pentry e = {.name = o->name, .var = o->var};
    return a->on->match(a->on->ctx, &e, yes);
  } else
    *yes = listed(a->on, o);
  return LAR_OK;
}

static lar_status nothing(const lar_addend *a, const char *name, const lar_outputs *seen) {
  const char *kind = a->term->type->see != NULL ? a->term->type->see : "activation";
  return lar_fail(LAR_EARG, "penalty %s on '%s' matches no layer; there are: %s", name,
                  a->on == NULL  ? kind
                  : a->on->n > 0 ? a->on->names[0]
                                 : "a function",
                  lar_outputs_text(seen));
}

/* The outputs in the addend's scope, in a list that has room for all. */
static lar_status choose(const lar_addend *a, const char *name, const lar_outputs *seen,
                         const lar_output **to, int *n) {
  for (int k = 0; k < seen->n; k++) {
    bool yes = false;
    LAR_TRY(covers(a, &seen->at[k], &yes));
    if (yes && lar_dtype_is_float(seen->at[k].var->t.dtype)) to[(*n)++] = &seen->at[k];
  }
  return *n > 0 ? LAR_OK : nothing(a, name, seen);
}

static lar_status check_input(const lar_pass *pass, const char *name) {
  if (lar_dtype_is_float(pass->x->t.dtype)) return LAR_OK;
  return lar_fail(LAR_EDTYPE, "penalty %s: derivatives by x need float inputs, not %s", name,
                  lar_dtype_name(pass->x->t.dtype));
}

lar_var *lar_addend_forward(const lar_addend *a, const char *name, lar_scope *s,
                            const lar_pass *pass, const lar_outputs *seen) {
  const lar_penalty *type = a->term->type;
  lar_pass own = *pass;
  const lar_output **at = NULL;
  void *p = NULL;
  lar_status st = LAR_OK;
  lar_var *v = NULL;
  if (type->sees & LAR_SEES_LAYERS) {
    LAR_GO(lar_alloc(&p, (size_t)seen->n + 1, sizeof(lar_output *)));
    at = p;
    LAR_GO(choose(a, name, seen, at, &own.n));
    own.at = at;
  }
  if (type->sees & LAR_SEES_INPUT) LAR_GO(check_input(pass, name));
  if ((type->sees & LAR_SEES_LOSS) && pass->loss == NULL)
    LAR_GO(lar_fail(LAR_EARG,
                    "penalty %s needs the loss: give penalty:forward and its like "
                    "(net, x, y, loss)",
                    name));
  v = type->forward(a->term->self, s, &own);
  if (s->status != LAR_OK && s->status != LAR_ECALL && s->status != LAR_ENOMEM)
    s->status = lar_fail(s->status, "penalty %s: %s", name, lar_why());
done:
  lar_free(p);
  return st == LAR_OK ? v : lar_scope_fail(s, st);
}

/* ---- all of a sum ---- */

bool lar_bound_is_forward(const lar_bound *b, int k) {
  const lar_penalty *type = b->reg->at[k].term->type;
  return type != NULL && (type->traits & LAR_FORWARD) != 0;
}

unsigned lar_bound_sees(const lar_bound *b) {
  unsigned sees = 0;
  for (int k = 0; k < b->reg->n; k++)
    if (lar_bound_is_forward(b, k)) sees |= b->reg->at[k].term->type->sees | LAR_SEES_PASS;
  return sees;
}

lar_var *lar_bound_forward(lar_bound *b, lar_scope *s, const lar_pass *pass,
                           const lar_outputs *seen, double *each, lar_var **term) {
  lar_var *sum = NULL;
  lar_status st = b->fresh ? LAR_OK : lar_bound_refresh(b, NULL);
  if (st != LAR_OK) return lar_scope_fail(s, st);
  for (int k = 0; s->status == LAR_OK && k < b->reg->n; k++) {
    if (!lar_bound_is_forward(b, k)) continue;
    lar_var *v = lar_addend_forward(&b->reg->at[k], b->name[k], s, pass, seen);
    b->reg->at[k].term->passes++;
    v = lar_affine(s, v, b->l[k], 0);
    if (s->status == LAR_OK) s->status = lar_var_item(v, &each[k]);
    if (term != NULL) term[k] = v;
    sum = sum != NULL ? lar_add(s, sum, v) : v;
  }
  return s->status == LAR_OK ? sum : NULL;
}

void lar_bound_passed(lar_bound *b) {
  for (int k = 0; k < b->reg->n; k++)
    if (lar_bound_is_forward(b, k)) b->reg->at[k].term->passes++;
}

lar_status lar_bound_seen(lar_bound *b) {
  for (int k = 0; k < b->reg->n; k++) {
    uint64_t passes = b->reg->at[k].term->passes;
    if (lar_bound_is_forward(b, k) && b->l[k] != 0 && passes == b->passes[k])
      return lar_fail(LAR_EARG,
                      "penalty %s is of the forward pass: add to the loss what "
                      "penalty:forward(net, x, y, loss) returns before backward()",
                      b->name[k]);
    b->passes[k] = passes;
  }
  return LAR_OK;
}
