/*
 * penalty/ball - |w_g|_2 <= radius for groups: what max_norm and l2_ball share.
 *
 * Include after core/real.h and penalty/radial.h.
 */
#ifndef LAR_PENALTY_BALL_H
#define LAR_PENALTY_BALL_H

#define LAR_RADIAL_WITHIN(p) ((p)->radius)
#include "penalty/radial.h"

typedef struct ball {
  double radius;
} ball;

static inline double value(const ball *p, double l, double size, double r) {
  return r > p->radius * (1 + LAR_SLACK) ? HUGE_VAL : r - r;
}

static inline double slope(const ball *p, double l, double size, double r) { return 0; }

static inline double shrink(const ball *p, double l, double size, double r, double t) {
  return r > p->radius ? p->radius : r;
}

static inline lar_secular secular(const ball *p, double l, double size) {
  return (lar_secular){.ball = true, .target = p->radius};
}

LAR_RADIAL_LOOPS(ball)

#endif
