#include "core/real.h"
#include "penalty/radial.h"

typedef struct ball {
  double c;
} ball;

static const lar_param schema[] = {
  {"c", offsetof(ball, c), 1.0, 0.0, HUGE_VAL, "greatest norm of a group"},
  {0},
};

static inline double value(const ball *p, double l, double size, double r) {
  return r > p->c * (1 + LAR_SLACK) ? HUGE_VAL : r - r;
}

static inline double slope(const ball *p, double l, double size, double r) { return 0; }

static inline double shrink(const ball *p, double l, double size, double r, double t) {
  return r > p->c ? p->c : r;
}

static inline lar_secular secular(const ball *p, double l, double size) {
  return (lar_secular){.ball = true, .target = p->c};
}

LAR_RADIAL_LOOPS(ball)
LAR_RADIAL_ENTRY(max_norm)

LAR_ENTRY(penalty, max_norm) = {
  .name = "max_norm",
  .doc = "the norm of the weights into each unit at most c",
  .source = "Srebro & Shraibman 2005, COLT; Srivastava et al. 2014, JMLR 15, sec. 5.1",
  .formula = "|w_g|_2 <= c",
  .params = schema,
  .size = sizeof(ball),
  .traits = LAR_CONVEX | LAR_GROUPED | LAR_RADIAL | LAR_CONSTRAINT,
  .by = "output",
  LAR_RADIAL_SLOTS,
};
