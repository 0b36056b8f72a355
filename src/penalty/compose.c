#include "penalty/compose.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"

enum { GRAIN = 16384, MAX_PARTS = 32, CYCLES = 5000 };

/* ---- planning ---- */

static bool is_simple(const lar_part *p) {
  return p->hold || (p->term->type != NULL && p->term->type->simple != NULL);
}

static bool is_radial(const lar_part *p) {
  return !p->hold && p->term->type != NULL && (p->term->type->traits & LAR_RADIAL) != 0;
}

lar_simple lar_part_simple(const lar_part *p) {
  lar_simple s = {.lo = -HUGE_VAL, .hi = HUGE_VAL};
  if (!p->hold) p->term->type->simple(p->at.self, p->at.l, &s);
  return s;
}

static bool is_cone(const lar_part *p) {
  lar_simple s = lar_part_simple(p);
  return (s.lo == 0 || s.lo == -HUGE_VAL) && (s.hi == 0 || s.hi == HUGE_VAL);
}

static unsigned traits(const lar_part *p) {
  return p->hold || p->term->type == NULL ? 0 : p->term->type->traits;
}

/* What is written in Lua is taken at its word. */
static bool is_convex(const lar_part *p) {
  return p->hold || p->term->type == NULL || (p->term->type->traits & LAR_CONVEX) != 0;
}

bool lar_part_euclidean(const lar_part *p) {
  if (p->hold) return false;
  if (p->term->type != NULL) return (p->term->type->traits & LAR_EUCLIDEAN) != 0;
  return !p->term->separable;
}

/* Is it of one group, of everything? */
static bool is_whole(const lar_part *p) {
  return p->term->by != NULL && strcmp(p->term->by, "all") == 0;
}

/* Simple ones, others, norms, the norm of all, balls: the last has the last word. */
static int rank(const lar_part *p) {
  if (is_simple(p)) return 0;
  if (!is_radial(p)) return 1;
  if ((traits(p) & LAR_CONSTRAINT) != 0) return 5;
  return (traits(p) & LAR_SOFT) != 0 ? 2 : is_whole(p) ? 4 : 3;
}

static void sort(int n, lar_part *part) {
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && rank(&part[j]) < rank(&part[j - 1]); j--) {
      lar_part other = part[j];
      part[j] = part[j - 1];
      part[j - 1] = other;
    }
}

int lar_compose_simple(int n, const lar_part *part) {
  int k = 0;
  while (k < n && is_simple(&part[k])) k++;
  return k;
}

/* Do the simple ones commute with the magnitudes, with everything, with differences? */
static bool all_cones(int n, const lar_part *part) {
  for (int k = 0; k < n; k++)
    if (!is_cone(&part[k])) return false;
  return true;
}

static bool all_alike(int n, const lar_part *part) {
  for (int k = 0; k < n; k++)
    if (part[k].hold || part[k].term->weights != NULL) return false;
  return true;
}

static bool all_squares(int n, const lar_part *part) {
  for (int k = 0; k < n; k++) {
    lar_simple s = lar_part_simple(&part[k]);
    if (s.a != 0 || s.lo != -HUGE_VAL || s.hi != HUGE_VAL) return false;
  }
  return all_alike(n, part);
}

static lar_prox_plan otherwise(int n, const lar_part *part) {
  for (int k = 0; k < n; k++)
    if (!is_convex(&part[k])) return LAR_PLAN_REFUSED;
  return LAR_PLAN_SPLIT;
}

/* Do the simple ones leave the next one its theorem? */
static bool lets(int n, const lar_part *part, const lar_part *next) {
  if (all_squares(n, part)) return true;
  return (traits(next) & (LAR_RADIAL | LAR_ABSOLUTE)) != 0 && all_cones(n, part);
}

/* Is the first a norm or seminorm, and the other a function of the norms of its own groups, or
 * of the norm of all? What only scales w, or its groups, keeps its subgradients. */
static bool leads(const lar_part *first, const lar_part *other,
                  bool (*same)(const lar_part *, const lar_part *)) {
  if ((traits(first) & LAR_NORM) == 0) return false;
  return is_whole(other) || ((traits(first) & LAR_GROUPED) != 0 && same(first, other));
}

/* One, then radial ones of the same groups; soft thresholding is the first of them, or none. */
static bool is_chain(int n, const lar_part *part,
                     bool (*same)(const lar_part *, const lar_part *)) {
  const lar_part *first = &part[0];
  for (int k = 1; k < n; k++) {
    const lar_part *p = &part[k];
    if (!is_radial(p) || !is_convex(p) || (traits(p) & LAR_SOFT) != 0) return false;
    bool alike = is_radial(first) && is_convex(first) && same(first, p);
    if (!same(&part[1], p) || (!alike && !leads(first, p, same))) return false;
  }
  return true;
}

lar_prox_plan lar_compose_plan(int n, lar_part *part,
                               bool (*same)(const lar_part *, const lar_part *)) {
  sort(n, part);
  int simple = lar_compose_simple(n, part);
  const lar_part *next = &part[simple];
  if (n <= 1) return n == 0 ? LAR_PLAN_NONE : LAR_PLAN_ONE;
  if (simple == n) return LAR_PLAN_SIMPLE;
  if (n > simple + 1)
    return lets(simple, part, next) && is_chain(n - simple, next, same) ? LAR_PLAN_CHAIN
                                                                        : otherwise(n, part);
  if (lets(simple, part, next)) return LAR_PLAN_RADIAL;
  if ((traits(next) & LAR_FUSING) != 0 && all_alike(simple, part)) return LAR_PLAN_FUSED;
  return otherwise(n, part);
}

/* What is not convex is no chain, whatever its groups. */
static bool apart(const lar_part *a, const lar_part *b) { return false; }

/* Two parts whose sum is refused. */
static void culprits(int n, const lar_part *part, lar_part pair[2]) {
  for (int i = 0; i < n; i++)
    for (int j = i + 1; j < n; j++) {
      pair[0] = part[i], pair[1] = part[j];
      if (lar_compose_plan(2, pair, apart) == LAR_PLAN_REFUSED) return;
    }
}

static bool has_subgradient(const lar_part *p) {
  return p->term->type == NULL || (traits(p) & (LAR_CONSTRAINT | LAR_FLAT)) == 0;
}

lar_status lar_compose_refuse(int n, const lar_part *part, const char *name) {
  lar_part pair[2] = {part[0], part[1]};
  char advice[128] = "";
  culprits(n, part, pair);
  const lar_part *bent = &pair[is_convex(&pair[0])];
  for (int k = 0; k < 2 && advice[0] == '\0'; k++)
    if (has_subgradient(&pair[k]))
      (void)snprintf(advice, sizeof advice, ", or give %s mode = \"subgradient\"",
                     pair[k].term->name);
  return lar_fail(LAR_EARG,
                  "penalty: no prox of %s + %s on '%s' is known, and %s is not convex, so none "
                  "can be computed by splitting; put them on different parameters with :on%s",
                  pair[0].term->name, pair[1].term->name, name, bent->term->name, advice);
}

void lar_compose_text(lar_prox_plan plan, int n, const lar_part *part, char *buf, size_t size) {
  static const char *const how[] = {
    [LAR_PLAN_NONE] = "",
    [LAR_PLAN_ONE] = "exact",
    [LAR_PLAN_SIMPLE] = "one closed form, exact",
    [LAR_PLAN_RADIAL] = "one after the other, exact",
    [LAR_PLAN_CHAIN] =
      "one after the other, exact; in an adaptive metric by splitting to 1e-10",
    [LAR_PLAN_FUSED] = "differences first, exact; in an adaptive metric by splitting to 1e-10",
    [LAR_PLAN_SPLIT] = "by Dykstra-like splitting to 1e-10",
    [LAR_PLAN_REFUSED] = "no prox of this sum is known, and it is not convex: refused",
  };
  size_t at = 0;
  for (int k = 0; k < n && at < size; k++)
    at += (size_t)snprintf(buf + at, size - at, "%s%s", k > 0 ? ", " : "", part[k].term->name);
  if (at < size) (void)snprintf(buf + at, size - at, ": %s", how[plan]);
}

/* ---- exact composition ---- */

typedef struct call {
  int n;
  const lar_part *part;
  lar_compose_work *work;
  double step;
  const lar_tensor *w, *metric;
  const char *name;
} call;

static const double *weight_of(const lar_part *p) {
  return p->at.weight != NULL ? lar_tensor_data(p->at.weight) : NULL;
}

static void run_simples(int n, const lar_part *part, const lar_tensor *w, double step,
                        const lar_tensor *metric, const lar_tensor *fold) {
  lar_simple at[MAX_PARTS];
  const double *weight[MAX_PARTS];
  for (int k = 0; k < n; k++) {
    at[k] = lar_part_simple(&part[k]);
    weight[k] = weight_of(&part[k]);
  }
  lar_simples s = {.n = n, .at = at, .weight = weight, .step = step, .w = lar_tensor_data(w)};
  s.metric = metric != NULL ? lar_tensor_data(metric) : NULL;
  s.fold = fold != NULL ? lar_tensor_data(fold) : NULL;
  lar_par_for(lar_tensor_numel(w), GRAIN,
              w->dtype == LAR_F32 ? lar_simples_f32 : lar_simples_f64, &s);
}

lar_status lar_part_prox(const lar_part *p, const lar_tensor *w, double step,
                         const lar_tensor *metric) {
  if (p->hold) {
    run_simples(1, p, w, step, metric, NULL);
    return LAR_OK;
  }
  if (p->term->type != NULL) return lar_penalty_prox(p->term->type, &p->at, w, step, metric);
  return p->term->prox_fn(p->term->ctx, p->at.l, w, step, metric);
}

/* work->at[k], made when it is not there or of another dtype or shape. */
static lar_status need(lar_compose_work *work, int k, lar_dtype dtype, const lar_tensor *like) {
  size_t cap = (size_t)work->n;
  void *p = work->at;
  lar_status st = lar_grow(&p, &cap, (size_t)k + 1, sizeof *work->at);
  work->at = p;
  work->n = (int)cap;
  LAR_TRY(st);
  lar_tensor *t = &work->at[k];
  if (t->storage != NULL && t->dtype == dtype && lar_tensor_same_shape(t, like)) return LAR_OK;
  lar_tensor_clear(t);
  return lar_tensor_init(t, dtype, like->ndim, like->shape);
}

void lar_compose_clear(lar_compose_work *work) {
  for (int k = 0; k < work->n; k++) lar_tensor_clear(&work->at[k]);
  lar_free(work->at);
  *work = (lar_compose_work){0};
}

/* Total b when it is one number, -1 when weights make it differ by coordinate. */
double lar_part_total(int n, const lar_part *part) {
  double b = 0;
  bool weighted = false;
  for (int k = 0; k < n; k++) {
    double kb = lar_part_simple(&part[k]).b;
    weighted = weighted || (kb > 0 && part[k].at.weight != NULL);
    b += kb;
  }
  return weighted ? -1 : b;
}

static lar_status split(const call *c);

/* The simple ones first; then radial ones in what metric is left. */
static lar_status run_radial(const call *c) {
  int simple = lar_compose_simple(c->n, c->part);
  double b = lar_part_total(simple, c->part), step = c->step;
  const lar_tensor *metric = c->metric, *fold = NULL;
  bool folds = b < 0 || (b > 0 && metric != NULL);
  if (c->n > simple + 1 && (folds || metric != NULL)) return split(c);
  if (folds && lar_part_euclidean(&c->part[simple])) return split(c);
  if (folds) {
    LAR_TRY(need(c->work, 0, c->w->dtype, c->w));
    fold = &c->work->at[0];
  }
  if (simple > 0) run_simples(simple, c->part, c->w, step, metric, fold);
  if (folds)
    metric = fold;
  else if (b > 0)
    step /= 1 + step * b;
  for (int k = simple; k < c->n; k++) LAR_TRY(lar_part_prox(&c->part[k], c->w, step, metric));
  return LAR_OK;
}

/* Merging coordinates keeps their order, and so does what is simple and the same for each:
 * the signs of differences stay. Not so with a step for each coordinate. */
static lar_status run_fused(const call *c) {
  int simple = c->n - 1;
  if (c->metric != NULL) return split(c);
  LAR_TRY(lar_part_prox(&c->part[simple], c->w, c->step, NULL));
  run_simples(simple, c->part, c->w, c->step, NULL, NULL);
  return LAR_OK;
}

/* ---- splitting ---- */

enum { X, METRIC, Y, LIVE, CORRECTION }; /* places in the work space */

static double *data(const call *c, int k) { return lar_tensor_data(&c->work->at[k]); }

static double largest(const double *x, int64_t n) {
  double most = 0;
  for (int64_t i = 0; i < n; i++) most = fabs(x[i]) > most ? fabs(x[i]) : most;
  return most;
}

/* One block's turn: y = x + p, x = prox(y), p = y - x; the most that p moved. */
static lar_status turn(const call *c, int first, int count, int block, double *moved) {
  int64_t n = lar_tensor_numel(c->w);
  double *x = data(c, X), *y = data(c, Y), *p = data(c, CORRECTION + block),
         *live = data(c, LIVE);
  const lar_tensor *metric = c->metric != NULL ? &c->work->at[METRIC] : NULL;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] += p[i];
  if (is_simple(&c->part[first]))
    run_simples(count, &c->part[first], &c->work->at[X], c->step, metric, NULL);
  else
    LAR_TRY(lar_part_prox(&c->part[first], &c->work->at[X], c->step, metric));
  x = data(c, X);
  for (int64_t i = 0; i < n; i++) {
    double d = y[i] - x[i] - p[i];
    p[i] += d;
    *moved = fabs(d) > *moved ? fabs(d) : *moved;
    if (x[i] == 0) live[i] = 0;
  }
  return LAR_OK;
}

static lar_status cycle(const call *c, int simple, double *moved) {
  int block = 0;
  *moved = 0;
  for (int64_t i = 0, n = lar_tensor_numel(c->w); i < n; i++) data(c, LIVE)[i] = 1;
  if (simple > 0) LAR_TRY(turn(c, 0, simple, block++, moved));
  for (int k = simple; k < c->n; k++) LAR_TRY(turn(c, k, 1, block++, moved));
  return LAR_OK;
}

static lar_status prepare_split(const call *c, int blocks) {
  for (int k = 0; k < CORRECTION + blocks; k++) LAR_TRY(need(c->work, k, LAR_F64, c->w));
  LAR_TRY(lar_copy(&c->work->at[X], c->w));
  if (c->metric != NULL) LAR_TRY(lar_copy(&c->work->at[METRIC], c->metric));
  for (int k = 0; k < blocks; k++) lar_fill(&c->work->at[CORRECTION + k], 0);
  return LAR_OK;
}

/* "l1 + box" */
static void sum_text(const call *c, char *names, size_t size) {
  size_t at = 0;
  names[0] = '\0';
  for (int k = 0; k < c->n && at < size; k++)
    at += (size_t)snprintf(names + at, size - at, "%s%s", k > 0 ? " + " : "",
                           c->part[k].term->name);
}

static lar_status unsettled(const call *c, double moved) {
  char names[160];
  sum_text(c, names, sizeof names);
  return lar_fail(LAR_EMATH,
                  "penalty: the prox of %s on '%s' does not settle (it still moves by %g after "
                  "%d rounds); do its constraints contradict each other?",
                  names, c->name, moved, CYCLES);
}

static lar_status split(const call *c) {
  for (int k = 0; k < c->n; k++)
    if (!is_convex(&c->part[k])) return lar_compose_refuse(c->n, c->part, c->name);
  const double fine = 1e-10, coarse = 1e-7;
  int simple = lar_compose_simple(c->n, c->part), blocks = c->n - simple + (simple > 0);
  int64_t n = lar_tensor_numel(c->w);
  double moved = 0;
  LAR_TRY(prepare_split(c, blocks));
  double scale = largest(data(c, X), n);
  if (!(scale > 0)) scale = 1;
  for (int k = 0; k < CYCLES; k++) {
    LAR_TRY(cycle(c, simple, &moved));
    if (!(moved > fine * scale)) break;
  }
  if (moved > coarse * scale) return unsettled(c, moved);
  double *x = data(c, X);
  const double *live = data(c, LIVE);
  for (int64_t i = 0; i < n; i++)
    if (live[i] == 0 && fabs(x[i]) <= coarse * scale) x[i] = 0;
  return lar_copy(c->w, &c->work->at[X]);
}

/* ---- all plans ---- */

static double mean(const lar_tensor *t) {
  int64_t n = lar_tensor_numel(t);
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += lar_tensor_get(t, i);
  return n > 0 ? sum / (double)n : 1;
}

lar_status lar_compose_prox(lar_prox_plan plan, int n, const lar_part *part,
                            lar_compose_work *work, const lar_tensor *w, double step,
                            const lar_tensor *metric, const char *name) {
  for (int k = 0; k < n && metric != NULL; k++)
    if (lar_part_euclidean(&part[k])) {
      step *= mean(metric);
      metric = NULL;
    }
  call c = {
    .n = n, .part = part, .work = work, .step = step, .w = w, .metric = metric, .name = name};
  switch (plan) {
  case LAR_PLAN_NONE: return LAR_OK;
  case LAR_PLAN_ONE: return lar_part_prox(&part[0], w, step, metric);
  case LAR_PLAN_SIMPLE: run_simples(n, part, w, step, metric, NULL); return LAR_OK;
  case LAR_PLAN_RADIAL:
  case LAR_PLAN_CHAIN: return run_radial(&c);
  case LAR_PLAN_FUSED: return run_fused(&c);
  case LAR_PLAN_REFUSED: return lar_compose_refuse(n, part, name);
  default: return split(&c);
  }
}
