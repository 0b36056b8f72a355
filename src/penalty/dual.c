/* What a dual objective asks of a penalty: where its conjugate is finite, and what it is there.
 */
#include <math.h>

#include "core/mem.h"
#include "penalty/bound.h"

/* Sums of a|w| + b/2 w^2, whichever way they act. */
static bool is_simple(const lar_bound *b, const piece *p) {
  const lar_term *t = b->reg->at[p->addend].term;
  lar_simple s = {0};
  if (p->holds || t->type == NULL || t->type->simple == NULL) return false;
  t->type->simple(t->self, 1, &s);
  return s.lo == -HUGE_VAL && s.hi == HUGE_VAL;
}

/* A norm with no direction for nothing. */
static bool is_norm(const lar_bound *b, const piece *p) {
  const lar_penalty *type = b->reg->at[p->addend].term->type;
  return !p->holds && type != NULL && (type->traits & LAR_NORM) && type->centre == NULL &&
         p->weight.storage == NULL && p->l1_weight.storage == NULL;
}

bool lar_bound_has_dual(const lar_bound *b, int i) {
  const place *p = &b->places[i];
  bool simple = p->n > 0;
  for (int k = 0; k < p->n; k++) simple = simple && is_simple(b, &p->at[k]);
  return simple || (p->n == 1 && is_norm(b, &p->at[0]));
}

bool lar_bound_is_free(const lar_bound *b, int i) { return b->places[i].n == 0; }

static void add_simple(const lar_bound *b, const piece *p, int64_t n, double *kink,
                       double *bend) {
  lar_pen_at at = lar_bound_at(b, p);
  const double *weight = at.weight != NULL ? lar_tensor_data(at.weight) : NULL;
  lar_simple s = {0};
  b->reg->at[p->addend].term->type->simple(at.self, at.l, &s);
  for (int64_t j = 0; j < n; j++) {
    double share = weight != NULL ? weight[j] : 1;
    kink[j] += s.a * share;
    bend[j] += s.b * share;
  }
}

/* Where b = 0 the conjugate is 0 up to a and infinite beyond; elsewhere it is
 * max(|v| - a, 0)^2 / (2 b). */
static void of_simple(int64_t n, const double *v, const double *kink, const double *bend,
                      double *share, double *conjugate) {
  *share = 1;
  for (int64_t j = 0; j < n; j++)
    if (bend[j] == 0 && *share * fabs(v[j]) > kink[j]) *share = kink[j] / fabs(v[j]);
  *conjugate = 0;
  for (int64_t j = 0; j < n; j++) {
    double left = *share * fabs(v[j]) - kink[j];
    if (bend[j] > 0 && left > 0) *conjugate += left * left / (2 * bend[j]);
  }
}

static lar_status of_norm(const lar_bound *b, const piece *p, const lar_tensor *v,
                          double *share, double *conjugate) {
  lar_pen_at at = lar_bound_at(b, p);
  double most;
  LAR_TRY(lar_penalty_max(b->reg->at[p->addend].term->type, &at, v, &most));
  *share = most > at.l ? at.l / most : 1;
  *conjugate = 0;
  return LAR_OK;
}

lar_status lar_bound_dual(const lar_bound *b, int i, const lar_tensor *v, double *share,
                          double *conjugate) {
  const place *p = &b->places[i];
  int64_t n = lar_tensor_numel(v);
  void *room;
  if (!is_simple(b, &p->at[0])) return of_norm(b, &p->at[0], v, share, conjugate);
  LAR_TRY(lar_alloc(&room, 2 * (size_t)n + 1, sizeof(double)));
  double *kink = room, *bend = kink + n;
  for (int k = 0; k < p->n; k++) add_simple(b, &p->at[k], n, kink, bend);
  of_simple(n, lar_tensor_data(v), kink, bend, share, conjugate);
  lar_free(room);
  return LAR_OK;
}
