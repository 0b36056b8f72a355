#include "solver/blocks.h"

#include <string.h>

#include "core/mem.h"

/* ---- what can be taken ---- */

static bool tied(const lar_penalty *p) { return (p->traits & LAR_GROUPED) != 0; }

/* A function of disjoint groups that leaves 0 at 0 and signs alone. */
static bool groupable(const lar_penalty *p) {
  unsigned bad = LAR_CONSTRAINT | LAR_NESTED | LAR_OVERLAP | LAR_GRAPH | LAR_FALLIBLE;
  return tied(p) && (p->traits & LAR_ABSOLUTE) != 0 && (p->traits & bad) == 0;
}

static lar_status check_terms(const lar_reg *r, const char *who, const lar_term **other) {
  *other = NULL;
  for (int i = 0; i < r->n; i++) {
    const lar_term *t = r->at[i].term;
    if (t->type != NULL && t->type->simple != NULL) continue;
    bool single = t->type != NULL && t->type->prox1 != NULL;
    if (!single && (t->type == NULL || !groupable(t->type)))
      return lar_fail(LAR_EARG,
                      "solver '%s' needs a penalty of separate groups; %s is coupled: use "
                      "'fista'",
                      who, t->name);
    if (*other != NULL)
      return lar_fail(LAR_EARG, "solver '%s' takes %s or %s, not both: use 'fista'", who,
                      (*other)->name, t->name);
    *other = t;
  }
  return LAR_OK;
}

/* ---- layout ---- */

static lar_status room(lar_blocks *B) {
  void *p;
  const size_t m = (size_t)B->m + 2;
  LAR_TRY(lar_alloc(&p, m, sizeof(int64_t)));
  B->start = p;
  LAR_TRY(lar_alloc(&p, m, sizeof(int64_t)));
  B->coord = p;
  LAR_TRY(lar_alloc(&p, 3 * m, sizeof(double)));
  B->a = p, B->s = B->a + m, B->norm = B->s + m;
  return LAR_OK;
}

/* Groups, then the coordinates that are in none, one by one. */
static lar_status lay_out(lar_blocks *B, const lar_groups *G) {
  void *p;
  int64_t filled = 0;
  LAR_TRY(lar_alloc(&p, (size_t)B->m + 1, 1));
  char *seen = p;
  for (int64_t g = 0; G != NULL && g < G->n; g++) {
    if (lar_groups_size(G, g) == 0) continue;
    LAR_GROUP_WALK(G, g, {
      B->coord[filled++] = j;
      seen[j] = 1;
    })
    B->start[++B->n] = filled;
  }
  for (int64_t j = 0; j < B->m; j++)
    if (!seen[j]) {
      B->coord[filled++] = j;
      B->start[++B->n] = filled;
    }
  for (int64_t q = 0; q < B->n; q++)
    if (lar_block_size(B, q) > B->largest) B->largest = lar_block_size(B, q);
  lar_free(p);
  return LAR_OK;
}

/* ---- strengths ---- */

static double weight_of(const lar_part *part, int64_t at) {
  const lar_tensor *w = part->at.weight;
  return w == NULL ? 1 : ((const double *)lar_tensor_data(w))[at];
}

static double scaled(double l, double weight) {
  return weight == HUGE_VAL ? weight : l * weight;
}

static lar_status bounds(lar_blocks *B) {
  void *p;
  const size_t m = (size_t)B->m + 1;
  if (B->lo != NULL) return LAR_OK;
  LAR_TRY(lar_alloc(&p, 2 * m, sizeof(double)));
  B->lo = p, B->hi = B->lo + m;
  for (int64_t i = 0; i < B->m; i++) B->lo[i] = -HUGE_VAL, B->hi[i] = HUGE_VAL;
  return LAR_OK;
}

static void narrow(lar_blocks *B, int64_t i, double lo, double hi) {
  B->lo[i] = fmax(B->lo[i], lo);
  B->hi[i] = fmin(B->hi[i], hi);
}

static lar_status add_simple(lar_blocks *B, const lar_part *part) {
  lar_simple one;
  part->term->type->simple(part->at.self, part->at.l, &one);
  bool bounded = one.lo > -HUGE_VAL || one.hi < HUGE_VAL;
  if (bounded) LAR_TRY(bounds(B));
  for (int64_t i = 0; i < B->m; i++) {
    double weight = weight_of(part, B->coord[i]);
    if (weight == HUGE_VAL) B->a[i] = HUGE_VAL;
    if (weight == HUGE_VAL) continue;
    B->a[i] += one.a * weight;
    B->s[i] += one.b * weight;
    if (bounded) narrow(B, i, one.lo, one.hi);
  }
  return LAR_OK;
}

/* The group of the groups' penalty that block q came of: empty groups left no block. */
static void add_groups(lar_blocks *B, const lar_part *part, bool norm, double ratio) {
  const lar_groups *G = part->at.groups;
  const double *l1 = part->at.l1_weight;
  for (int64_t g = 0, q = 0; g < G->n; g++) {
    int64_t size = lar_groups_size(G, g);
    if (size == 0) continue;
    double weight = weight_of(part, g), l = part->at.l;
    double by = norm ? (1 - ratio) * sqrt((double)size) : 1;
    B->norm[q] = weight == HUGE_VAL ? 0 : l * by * weight;
    for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) {
      if (ratio > 0) B->a[i] += scaled(l * ratio, l1 != NULL ? l1[B->coord[i]] : 1);
      if (weight == HUGE_VAL) B->a[i] = HUGE_VAL;
    }
    q++;
  }
}

static void add_other(lar_blocks *B, const lar_part *part) {
  const lar_penalty *p = part->term->type;
  const lar_param *share = NULL;
  if (p->params != NULL) share = lar_param_find(p->params, "l1_ratio");
  bool norm = strcmp(p->name, "group_lasso") == 0 || (p->traits & LAR_SOFT) != 0;
  double ratio = norm && share != NULL ? lar_param_get(share, part->at.self) : 0;
  B->kind = norm ? LAR_BLOCK_NORM : LAR_BLOCK_OTHER;
  B->other = p;
  B->self = part->at.self;
  B->knee = (p->traits & LAR_KNEE) != 0;
  if (tied(p)) {
    add_groups(B, part, norm, ratio);
    return;
  }
  for (int64_t i = 0; i < B->m; i++) {
    double weight = weight_of(part, B->coord[i]);
    B->norm[i] = weight == HUGE_VAL ? 0 : part->at.l * weight;
    if (weight == HUGE_VAL) B->a[i] = HUGE_VAL;
  }
}

/* Factors of columns: on groups, of those not held, they must agree. */
static lar_status add_factors(lar_blocks *B, const lar_problem *g, const char *who) {
  for (int64_t q = 0; q < B->n; q++) {
    double shared = (double)NAN;
    for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) {
      int64_t j = B->coord[i] % g->x->p;
      double f = g->factor[j];
      B->a[i] = f == HUGE_VAL || B->a[i] == HUGE_VAL ? HUGE_VAL : B->a[i] * f;
      if (f == HUGE_VAL) continue;
      B->s[i] *= f;
      if (!isnan(shared) && f != shared && B->norm[q] > 0)
        return lar_fail(LAR_EARG,
                        "solver '%s': columns of one group have the weights %g and %g; give "
                        "the group a weight",
                        who, shared, f);
      shared = f;
    }
    if (!isnan(shared)) B->norm[q] *= shared;
  }
  return LAR_OK;
}

static lar_status add_bounds(lar_blocks *B, const lar_problem *g, const char *who) {
  if (g->lower == NULL && g->upper == NULL && B->lo == NULL) return LAR_OK;
  LAR_TRY(bounds(B));
  for (int64_t q = 0; q < B->n; q++)
    for (int64_t i = B->start[q]; i < B->start[q + 1]; i++) {
      int64_t j = B->coord[i] % g->x->p;
      narrow(B, i, g->lower != NULL ? g->lower[j] : -HUGE_VAL,
             g->upper != NULL ? g->upper[j] : HUGE_VAL);
      bool plain =
        (B->lo[i] == 0 || B->lo[i] == -HUGE_VAL) && (B->hi[i] == 0 || B->hi[i] == HUGE_VAL);
      B->dual = B->dual && plain;
      if (!plain && (B->norm[q] > 0 || lar_block_size(B, q) > 1))
        return lar_fail(LAR_EARG,
                        "solver '%s': column %lld of a group is bounded by [%g, %g]; only 0 "
                        "and infinity go with groups: use 'fista'",
                        who, (long long)j + 1, B->lo[i], B->hi[i]);
    }
  return LAR_OK;
}

static lar_status fill(lar_blocks *B, const lar_problem *g, const char *who) {
  const lar_term *other;
  lar_part part[LAR_MAX_PARTS];
  void *p;
  LAR_TRY(check_terms(g->penalty, who, &other));
  LAR_TRY(lar_coefs_open(&B->coefs, g));
  B->m = g->x->p * g->rows.k;
  int n = lar_bound_parts(B->coefs.bound, 0, part), tie = -1;
  for (int k = 0; k < n; k++)
    if (part[k].term->type->simple == NULL) tie = k;
  LAR_TRY(room(B));
  LAR_TRY(lay_out(B, tie >= 0 && tied(part[tie].term->type) ? part[tie].at.groups : NULL));
  LAR_TRY(lar_alloc(&p, (size_t)(2 * B->largest) + 1, sizeof(double)));
  B->scratch = p;
  LAR_TRY(lar_tensor_zeros(&B->room, LAR_F64, 1, &B->largest));
  for (int k = 0; k < n; k++)
    if (k == tie)
      add_other(B, &part[k]);
    else
      LAR_TRY(add_simple(B, &part[k]));
  B->convex = lar_reg_all(g->penalty, LAR_CONVEX);
  B->dual = B->convex && (B->kind != LAR_BLOCK_OTHER || (B->other->traits & LAR_NORM) != 0);
  if (g->factor != NULL) LAR_TRY(add_factors(B, g, who));
  return add_bounds(B, g, who);
}

lar_status lar_blocks_open(lar_blocks *B, const lar_problem *g, const char *who) {
  *B = (lar_blocks){.lambda = 1};
  return fill(B, g, who);
}

void lar_blocks_close(lar_blocks *B) {
  lar_coefs_close(&B->coefs);
  lar_tensor_clear(&B->room);
  lar_free(B->start);
  lar_free(B->coord);
  lar_free(B->a);
  lar_free(B->lo);
  lar_free(B->scratch);
  *B = (lar_blocks){0};
}

/* ---- one block ---- */

static double clipped(const lar_blocks *B, int64_t i, double v) {
  if (B->lo == NULL) return v;
  return v < B->lo[i] ? B->lo[i] : v > B->hi[i] ? B->hi[i] : v;
}

/* The l1 part and the bounds, which act first. */
static void soften(const lar_blocks *B, int64_t q, double step, double *v) {
  for (int64_t i = B->start[q], k = 0; i < B->start[q + 1]; i++, k++)
    v[k] = B->a[i] == HUGE_VAL ? 0 : clipped(B, i, lar_soft(v[k], step * B->lambda * B->a[i]));
}

static double length(const double *v, int64_t m) {
  double sum = 0;
  for (int64_t k = 0; k < m; k++) sum += v[k] * v[k];
  return sqrt(sum);
}

/* Where the other function acts on a block of m. */
static lar_pen_at place(const lar_blocks *B, int64_t q, lar_groups *one, int64_t m) {
  *one = (lar_groups){.n = 1, .numel = m, .outer = 1, .inner = m};
  return (lar_pen_at){.self = B->self, .l = B->lambda * B->norm[q], .groups = one};
}

static lar_status other_prox(lar_blocks *B, int64_t q, double step, double *v) {
  const int64_t m = lar_block_size(B, q);
  lar_groups one;
  if (!tied(B->other)) {
    v[0] = B->other->prox1(B->self, B->lambda * B->norm[q], v[0], step);
    return LAR_OK;
  }
  lar_pen_at at = place(B, q, &one, m);
  double *room_at = lar_tensor_data(&B->room);
  memcpy(room_at, v, (size_t)m * sizeof *v);
  B->room.shape[0] = m;
  lar_status st = lar_penalty_prox(B->other, &at, &B->room, step, NULL);
  memcpy(v, room_at, (size_t)m * sizeof *v);
  return st;
}

lar_status lar_block_prox(lar_blocks *B, int64_t q, double step, double *v) {
  const int64_t m = lar_block_size(B, q);
  soften(B, q, step, v);
  if (B->kind == LAR_BLOCK_SIMPLE || B->norm[q] == 0) return LAR_OK;
  if (B->kind == LAR_BLOCK_OTHER) return other_prox(B, q, step, v);
  double r = length(v, m), left = r - step * B->lambda * B->norm[q];
  double by = left > 0 ? left / r : 0;
  for (int64_t k = 0; k < m; k++) v[k] = by == 0 ? 0 : v[k] * by;
  return LAR_OK;
}

lar_status lar_block_value(lar_blocks *B, int64_t q, const double *b, double *out) {
  const int64_t m = lar_block_size(B, q);
  lar_groups one;
  double sum = 0, more = 0;
  for (int64_t i = B->start[q], k = 0; k < m; i++, k++)
    if (b[k] != 0) sum += B->a[i] * fabs(b[k]) + B->s[i] * b[k] * b[k] / 2;
  *out = B->lambda * sum;
  if (B->kind == LAR_BLOCK_SIMPLE || B->norm[q] == 0) return LAR_OK;
  if (B->kind == LAR_BLOCK_NORM) {
    *out += B->lambda * B->norm[q] * length(b, m);
    return LAR_OK;
  }
  if (!tied(B->other)) {
    *out += B->other->value1(B->self, B->lambda * B->norm[q], b[0]);
    return LAR_OK;
  }
  lar_pen_at at = place(B, q, &one, m);
  memcpy(lar_tensor_data(&B->room), b, (size_t)m * sizeof *b);
  B->room.shape[0] = m;
  LAR_TRY(lar_penalty_value(B->other, &at, &B->room, &more));
  *out += more;
  return LAR_OK;
}

/* The step is short: a penalty that bends is met where it starts. */
static const double SHORT = 1e-3;

bool lar_block_holds(lar_blocks *B, int64_t q, const double *g, double lambda) {
  const int64_t m = lar_block_size(B, q);
  double former = B->lambda, *v = B->scratch;
  for (int64_t k = 0; k < m; k++) v[k] = -SHORT * g[k];
  B->lambda = lambda;
  bool held = lar_block_prox(B, q, SHORT, v) == LAR_OK;
  B->lambda = former;
  for (int64_t k = 0; k < m; k++) held = held && v[k] == 0;
  return held;
}

/* What is beyond the l1 part is no more than g's moves away, and less where none of it is. */
double lar_block_slack(const lar_blocks *B, int64_t q, const double *g, double lambda) {
  double beyond = 0, within = HUGE_VAL;
  for (int64_t i = B->start[q], k = 0; i < B->start[q + 1]; i++, k++) {
    if (B->a[i] == HUGE_VAL) continue;
    if (B->lo != NULL && (B->lo[i] > 0 || B->hi[i] < 0)) return -1;
    const double over = fabs(g[k]) - lambda * B->a[i];
    if (over > 0) beyond += over * over;
    within = fmin(within, -over);
  }
  const double norm = B->kind == LAR_BLOCK_NORM ? lambda * B->norm[q] : 0;
  return beyond > 0 ? norm - sqrt(beyond) : norm + within;
}

bool lar_block_free(const lar_blocks *B, int64_t q) {
  if (B->kind != LAR_BLOCK_SIMPLE && B->norm[q] > 0) return false;
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    if (B->a[i] != 0 || B->s[i] != 0) return false;
  return true;
}

/* The quadratic strength that all of block q share; 0 where they do not. */
static double ridge(const lar_blocks *B, int64_t q) {
  double s = B->s[B->start[q]];
  for (int64_t i = B->start[q]; i < B->start[q + 1]; i++)
    if (B->a[i] != HUGE_VAL && B->s[i] != s) return 0;
  return B->lambda * s;
}

double lar_block_scale(lar_blocks *B, int64_t q, const double *g, double most) {
  const int64_t m = lar_block_size(B, q);
  enum { HALVES = 60 };
  double *scaled_g = B->scratch + B->largest, low = 0, high = most;
  if (ridge(B, q) > 0) return most;
  for (int round = 0; round <= HALVES; round++) {
    double s = round == 0 ? most : (low + high) / 2;
    for (int64_t k = 0; k < m; k++) scaled_g[k] = s * g[k];
    bool held = lar_block_holds(B, q, scaled_g, B->lambda);
    if (held && round == 0) return most;
    *(held ? &low : &high) = s;
  }
  return low;
}

/* With a quadratic part the supremum is taken at a prox. */
lar_status lar_block_conjugate(lar_blocks *B, int64_t q, const double *g, double scale,
                               double *out) {
  const int64_t m = lar_block_size(B, q);
  double s = ridge(B, q), *v = B->scratch, value;
  *out = 0;
  if (s == 0) return LAR_OK;
  for (int64_t k = 0; k < m; k++) v[k] = -scale * g[k] / s;
  LAR_TRY(lar_block_prox(B, q, 1 / s, v));
  for (int64_t k = 0; k < m; k++) *out -= scale * g[k] * v[k];
  LAR_TRY(lar_block_value(B, q, v, &value));
  *out -= value;
  return LAR_OK;
}

double lar_block_max(lar_blocks *B, int64_t q, const double *g, double floor) {
  enum { HALVES = 60, DOUBLES = 1100 };
  double low = floor, high = floor > 0 ? floor : 1e-300;
  if (lar_block_free(B, q) || lar_block_holds(B, q, g, high)) return floor;
  for (int k = 0; k < DOUBLES && !lar_block_holds(B, q, g, high); k++) {
    low = high;
    high *= k < 10 ? 2 : 1e3;
    if (high > 1e300) return floor; /* ridge alone holds nothing */
  }
  for (int k = 0; k < HALVES; k++) {
    double mid = (low + high) / 2;
    *(lar_block_holds(B, q, g, mid) ? &high : &low) = mid;
  }
  return high;
}
