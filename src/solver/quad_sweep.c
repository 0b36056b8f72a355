/* Rounds of coordinate descent in Gram coordinates, and when to end them. */
#include <math.h>

#include "core/interrupt.h"
#include "solver/quad.h"

static int sign(double v) { return (v > 0) - (v < 0); }

int64_t lar_quad_sweep(lar_quad *q, const lar_scalar *s, bool all, double *moved,
                       double *loss) {
  int64_t m = q->m, turned = 0;
  double most = 0, change = 0, *slope = q->slope;
  for (int64_t k = 0; k < m; k++) {
    double c = q->curve[k], old = q->b[k];
    if (!(c > 1e-300) || (!all && old == 0)) continue;
    double u = lar_quad_best(s, q->at[k], old, slope[k], c), d = u - old;
    if (d == 0) continue;
    const double *h = q->gram + k * q->cap;
    turned += sign(u) != sign(old);
    q->b[k] = u;
    change += d * (slope[k] + d * c / 2);
    for (int64_t i = 0; i < m; i++) slope[i] += d * h[i];
    most = d * d * c > most ? d * d * c : most;
  }
  *moved = most;
  *loss += change;
  return turned;
}

double lar_quad_left(const lar_quad *q, const lar_scalar *s, double *far) {
  double left = 0, size = 0, most = 0, alone = 0; /* what one coefficient alone can bring */
  for (int64_t k = 0; k < q->m; k++) {
    if (!(q->curve[k] > 1e-300)) continue;
    double d = lar_scalar_distance(s, q->at[k], q->b[k], q->slope[k]), b = fabs(q->b[k]);
    left += d * b;
    size += b;
    most = d > most ? d : most;
    alone = fmax(alone, d * d / (2 * q->curve[k]));
  }
  *far = most;
  if (size == 0 && most > 0) return HUGE_VAL;
  return left + most * size + alone;
}

static double penalty_of(const lar_quad *q, const lar_scalar *s) {
  double sum = 0;
  for (int64_t k = 0; k < q->m; k++)
    if (q->b[k] != 0) sum += lar_scalar_value(s, q->at[k], q->b[k]);
  return sum;
}

bool lar_quad_reach(lar_quad *q, const lar_scalar *s, double loss, double goal, double near,
                    int64_t most, int64_t *rounds) {
  double moved, far;
  for (*rounds = 0; *rounds < most && !lar_interrupt_pending();) {
    lar_quad_sweep(q, s, true, &moved, &loss);
    ++*rounds;
    double value = loss + penalty_of(q, s);
    if (moved == 0 || value <= goal) return true;
    double left = lar_quad_left(q, s, &far);
    if (left <= (value - left > goal ? 3 * near : near)) return true;
  }
  return false;
}

/* May it be followed knot by knot? */
static bool breaks(const lar_quad *q, const lar_scalar *s) {
  if (s->other != NULL || s->lo != NULL || q->rows) return false;
  for (int64_t k = 0; k < q->m; k++)
    if (!(s->a[q->at[k]] > 0)) return false;
  return true;
}

/* A few rounds find out who is in; then a step solves for those. Where columns are so alike
 * that this goes on and on, the line that leads to the optimum is followed knot by knot. */
lar_status lar_quad_solve(lar_quad *q, const lar_scalar *s, double gap, double kkt,
                          int64_t most, int64_t *rounds) {
  enum { ROUNDS = 4, PATIENCE = 32 };
  bool smooth = s->other == NULL, tried = !breaks(q, s);
  double far, moved, loss = 0;
  for (*rounds = 0; *rounds < most && !lar_interrupt_pending();) {
    int64_t turned = 1, knots;
    for (int k = 0; k < ROUNDS && turned > 0; k++, ++*rounds)
      turned = lar_quad_sweep(q, s, true, &moved, &loss);
    double left = lar_quad_left(q, s, &far);
    if (!smooth && turned > 0) continue; /* jumps are not seen from slopes */
    if (moved == 0 || (isnan(gap) ? far <= kkt : left <= gap)) return LAR_OK;
    if (*rounds > PATIENCE && !tried) {
      LAR_TRY(lar_quad_finish(q, s, &knots));
      *rounds += knots;
      tried = true;
    } else if (smooth) {
      LAR_TRY(lar_quad_newton(q, s));
    }
  }
  return LAR_OK;
}
