/* Regularisers written out. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "penalty/compose.h"

/* Text that grows; status is the first failure. */
typedef struct text {
  char *at;
  size_t n, cap;
  lar_status status;
} text;

__attribute__((format(printf, 2, 3))) static void say(text *t, const char *fmt, ...) {
  char line[320];
  va_list args;
  if (t->status != LAR_OK) return;
  va_start(args, fmt);
  int n = vsnprintf(line, sizeof line, fmt, args);
  va_end(args);
  if (n < 0) return;
  if ((size_t)n >= sizeof line) n = sizeof line - 1;
  void *p = t->at;
  t->status = lar_grow(&p, &t->cap, t->n + (size_t)n + 1, 1);
  t->at = p;
  if (t->status != LAR_OK) return;
  memcpy(t->at + t->n, line, (size_t)n + 1);
  t->n += (size_t)n;
}

/* The strength in front of a formula: "0.01", "lambda(state)", "2 lambda(state)"; nothing
 * for 1 before a space. Returns what of the formula follows. */
static const char *strength(text *t, const lar_addend *a, const char *rest) {
  if (a->term->lambda_fn != NULL) {
    if (a->scale != 1) say(t, "%g ", a->scale);
    say(t, "lambda(state)");
    return rest;
  }
  double l = a->term->lambda * a->scale;
  if (l == 1 && *rest == ' ') return rest + 1;
  say(t, "%g", l);
  return rest;
}

static bool letter(char c) { return isalnum((unsigned char)c) || c == '_'; }

static void parameter(text *t, const lar_param *p, const void *self) {
  double v = lar_param_get(p, self);
  char word[32];
  if (p->kind == LAR_CHOICE) {
    lar_param_choice(p, (int)v, word, sizeof word);
    say(t, "%s", word);
  } else {
    say(t, "%g", v);
  }
}

/* The formula with names replaced by numbers. */
static void formula(text *t, const lar_addend *a) {
  const lar_penalty *type = a->term->type;
  const char *s = type->formula;
  while (*s != '\0') {
    size_t n = 0;
    while (letter(s[n])) n++;
    char word[32];
    (void)snprintf(word, sizeof word, "%.*s", (int)n, s);
    const lar_param *p = n > 0 ? lar_param_find(type->params, word) : NULL;
    if (n == 0)
      say(t, "%c", *s++);
    else if (p != NULL)
      parameter(t, p, a->term->self);
    else if (strcmp(word, "lambda") != 0)
      say(t, "%s", word);
    s += n;
    if (n > 0 && p == NULL && strcmp(word, "lambda") == 0) s = strength(t, a, s);
  }
}

static void scope(text *t, const lar_on *on) {
  if (on == NULL)
    say(t, " on weights");
  else if (on->match != NULL)
    say(t, " on what a function chooses");
  else
    for (int k = 0; k < on->n; k++) {
      lar_pkind kind = lar_pkind_find(on->names[k]);
      say(t, k == 0 ? " on %s%s" : ", %s%s", on->names[k],
          kind == LAR_NPKIND ? ""
          : kind == LAR_BIAS ? "es"
                             : "s");
    }
}

/* Where a penalty of the forward pass acts. */
static void seen(text *t, const lar_addend *a) {
  const lar_penalty *type = a->term->type;
  if (!(type->sees & LAR_SEES_LAYERS)) return;
  if (a->on == NULL || a->on->match != NULL || a->on->n == 0)
    say(t, " on outputs of %s",
        a->on != NULL       ? "layers that a function chooses"
        : type->see != NULL ? type->see
                            : "activations");
  for (int k = 0; a->on != NULL && k < a->on->n; k++)
    say(t, k == 0 ? " on outputs of %s%s" : ", %s%s", a->on->names[k],
        strcmp(a->on->names[k], "activation") == 0 ? "s" : "");
}

static void groups(text *t, const lar_term *term) {
  if (term->type == NULL || !(term->type->traits & LAR_GROUPED)) return;
  if (term->list != NULL)
    say(t, (term->type->traits & LAR_GRAPH) ? " on %lld edges" : " in %lld groups",
        (long long)lar_tensor_numel(&term->sizes->t));
  else if (term->ids != NULL)
    say(t, " in groups by id");
  else if (term->by != NULL && strcmp(term->by, "all") != 0)
    say(t, " by %s", term->by);
}

static void weights(text *t, const lar_term *term) {
  if (term->weights != NULL) {
    unsigned traits = term->type->traits;
    say(t, ", weighted by %s",
        traits & LAR_RANKED    ? "rank"
        : traits & LAR_GROUPED ? "group"
                               : "coordinate");
  }
  if (term->l1_weights != NULL)
    say(t, term->weights != NULL ? " and coordinate" : ", |w| weighted by coordinate");
}

static const char *action(const lar_term *t) {
  if (t->mode == LAR_SUBGRADIENT) return "subgradient";
  if (t->type != NULL && t->type->noise != NULL) return "noise";
  if (lar_term_by_grad(t)) return "gradient";
  return t->type != NULL && (t->type->traits & LAR_CONSTRAINT) ? "projection" : "prox";
}

static void addend(text *t, const lar_reg *r, int k) {
  const lar_addend *a = &r->at[k];
  char name[64];
  size_t before = t->n;
  say(t, k > 0 ? "\n+ " : "");
  if (a->term->type != NULL) {
    formula(t, a);
  } else {
    const char *rest = strength(t, a, " ");
    say(t, "%s%s", rest, a->term->formula != NULL ? a->term->formula : a->term->name);
  }
  groups(t, a->term);
  weights(t, a->term);
  if (a->term->type != NULL && (a->term->type->traits & LAR_FORWARD))
    seen(t, a);
  else
    scope(t, a->on);
  size_t width = t->n - before - (k > 0);
  say(t, "%*s[%s: by %s]", width < 46 ? (int)(46 - width) : 2, "", lar_reg_name(r, k, name),
      action(a->term));
}

/* ---- how proxes compose where scopes are the same ---- */

static bool same_on(const lar_on *a, const lar_on *b) {
  if (a == b) return true;
  if (a == NULL || b == NULL || a->n != b->n || a->match != NULL || b->match != NULL)
    return false;
  for (int k = 0; k < a->n; k++)
    if (strcmp(a->names[k], b->names[k]) != 0) return false;
  return true;
}

static bool same_groups(const lar_part *p, const lar_part *q) {
  const lar_term *a = p->term, *b = q->term;
  if (a->list != NULL || b->list != NULL || a->ids != NULL || b->ids != NULL)
    return a->ids == b->ids && a->list == b->list;
  return a->by != NULL && b->by != NULL && strcmp(a->by, b->by) == 0;
}

static void composition(text *t, const lar_reg *r, int first) {
  enum { MAX_PARTS = 32 };
  lar_part part[MAX_PARTS];
  char line[256];
  int n = 0;
  for (int k = 0; k < first; k++)
    if (same_on(r->at[k].on, r->at[first].on)) return; /* said already */
  for (int k = first; k < r->n && n < MAX_PARTS; k++) {
    const lar_addend *a = &r->at[k];
    if (!same_on(a->on, r->at[first].on) || lar_term_by_grad(a->term)) continue;
    part[n++] = (lar_part){.term = a->term, .at = {.self = a->term->self, .l = 1}};
  }
  if (n < 2) return;
  lar_prox_plan plan = lar_compose_plan(n, part, same_groups);
  lar_compose_text(plan, n, part, line, sizeof line);
  say(t, "\nproxes");
  scope(t, r->at[first].on);
  say(t, ": %s", line);
}

static void euclidean(text *t, const lar_reg *r) {
  for (int k = 0; k < r->n; k++) {
    const lar_term *term = r->at[k].term;
    char name[64];
    if (lar_term_by_grad(term)) continue;
    if (term->type != NULL ? (term->type->traits & LAR_EUCLIDEAN) != 0 : !term->separable)
      say(t,
          "\n%s: its prox knows no metric; an adaptive optimiser takes one step for all "
          "of a parameter, gradient and prox alike",
          lar_reg_name(r, k, name));
  }
}

lar_status lar_reg_text(const lar_reg *r, char **out) {
  text t = {0};
  say(&t, "%s", "");
  for (int k = 0; k < r->n; k++) addend(&t, r, k);
  for (int k = 0; k < r->n; k++) composition(&t, r, k);
  euclidean(&t, r);
  if (t.status != LAR_OK) {
    lar_free(t.at);
    t.at = NULL;
  }
  *out = t.at;
  return t.status;
}
