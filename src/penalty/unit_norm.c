#include "core/real.h"
#include "penalty/radial.h"

typedef struct none {
  char unused;
} none;

static inline double value(const none *p, double l, double size, double r) {
  if (size == 0) return 0;
  return fabs(r - 1) > LAR_SLACK ? HUGE_VAL : r - r;
}

static inline double slope(const none *p, double l, double size, double r) { return 0; }

static inline double shrink(const none *p, double l, double size, double r, double t) {
  return 1;
}

/* Never asked: the projection is Euclidean. */
static inline lar_secular secular(const none *p, double l, double size) {
  return (lar_secular){.ball = true, .target = 1};
}

/* The radial loops scale groups; those of zeros are seen to before. */
#define prox_all scale_all
LAR_RADIAL_LOOPS(none)
#undef prox_all

static int64_t place_of(const lar_groups *G, int64_t g, int64_t i) {
  if (G->order != NULL) return G->order[G->start[g] + i];
  return (i / G->inner * G->n + g) * G->inner + i % G->inner;
}

/* Every unit vector is as near to 0: the first one is taken. */
static void lift(void *ctx, int64_t begin, int64_t end) {
  const lar_radial *r = ctx;
  const lar_groups *G = r->at->groups;
  for (int64_t g = begin; g < end; g++) {
    int64_t n = lar_groups_size(G, g), i = 0;
    while (i < n && r->to[place_of(G, g, i)] == 0) i++;
    if (n > 0 && i == n) r->to[place_of(G, g, 0)] = 1;
  }
}

static void prox_all(const lar_pen_at *at, void *w, double step, const void *metric) {
  lar_radial r = {.at = at, .to = w};
  lar_par_for(at->groups->n, lar_radial_grain(at->groups, false), lift, &r);
  scale_all(at, w, step, NULL);
}

LAR_RADIAL_ENTRY(unit_norm)

LAR_ENTRY(penalty, unit_norm) = {
  .name = "unit_norm",
  .doc = "the weights into each unit, or each group, on the unit sphere",
  .source =
    "Salimans & Kingma 2016, NIPS 29 (weights as directions); projection: Absil, Mahony & "
    "Sepulchre 2008, Optimization Algorithms on Matrix Manifolds, 4.1",
  .formula = "|w_g|_2 = 1",
  .size = sizeof(none),
  .traits = LAR_GROUPED | LAR_CONSTRAINT | LAR_EUCLIDEAN,
  .by = "output",
  LAR_RADIAL_SLOTS,
};
