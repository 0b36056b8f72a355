/* Line search for the strong conditions of Wolfe (Nocedal & Wright 2006, algorithms 3.5 and
 * 3.6), with cubic interpolation; near a minimum, where values differ by rounding alone, by the
 * approximate ones of Hager & Zhang 2005, SIAM J. Optim. 16(1). */
#include "optim/whole.h"

enum { TRIES = 40 };

typedef struct spot {
  double t, value, slope;
} spot;

typedef struct search {
  lar_whole *h;
  const double *d;
  spot from, best,
    last; /* from: t = 0; best: the lowest so far; last: the one evaluated last */
} search;

static lar_status look(search *s, double t) {
  lar_whole *h = s->h;
  double *x = lar_whole_row(h, LAR_TRIAL), *g = lar_whole_row(h, LAR_TRIAL_SLOPE);
  const double *point = lar_whole_row(h, LAR_POINT);
  for (int64_t j = 0; j < h->n; j++) x[j] = point[j] + t * s->d[j];
  LAR_TRY(lar_whole_eval(h, x, g));
  s->last = (spot){t, h->value, lar_whole_dot(h->n, g, s->d)};
  if (!isfinite(s->last.value) || !isfinite(s->last.slope))
    s->last.value = s->last.slope = HUGE_VAL;
  if (s->last.value < s->best.value) s->best = s->last;
  return LAR_OK;
}

static const double enough = 1e-4, flat = 0.9;

static bool falls(const search *s, spot a) {
  return a.value <= s->from.value + enough * a.t * s->from.slope;
}

static bool is_flat(const search *s, spot a) { return fabs(a.slope) <= -flat * s->from.slope; }

/* Within rounding of where it began, and no steeper up than it was down. */
static bool is_as_good(const search *s, spot a) {
  double rounding = 8 * s->h->noise * (fabs(s->from.value) + 1e-300);
  return a.value <= s->from.value + rounding && a.slope <= (2 * enough - 1) * s->from.slope &&
         is_flat(s, a);
}

/* The minimum of the cubic through both spots, kept off their ends. */
static double between(spot a, spot b) {
  double d = b.t - a.t, u = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t);
  double square = u * u - a.slope * b.slope, t = a.t + d / 2;
  if (square >= 0 && isfinite(square)) {
    double v = copysign(sqrt(square), d);
    t = b.t - d * (b.slope + v - u) / (b.slope - a.slope + 2 * v);
  }
  double lo = fmin(a.t, b.t) + 0.1 * fabs(d), hi = fmax(a.t, b.t) - 0.1 * fabs(d);
  return isfinite(t) ? fmin(fmax(t, lo), hi) : a.t + d / 2;
}

/* Between a spot that falls and one beyond which it rises again. */
static lar_status zoom(search *s, spot low, spot high, int tries, spot *out) {
  for (; tries > 0; tries--) {
    LAR_TRY(look(s, isfinite(high.value) ? between(low, high) : (low.t + high.t) / 2));
    if ((falls(s, s->last) && is_flat(s, s->last)) || is_as_good(s, s->last)) {
      *out = s->last;
      return LAR_OK;
    }
    if (!falls(s, s->last) || s->last.value >= low.value) {
      high = s->last;
    } else {
      if (s->last.slope * (high.t - low.t) >= 0) high = low;
      low = s->last;
    }
    if (fabs(high.t - low.t) <= 4 * 0x1p-52 * fabs(low.t)) break;
  }
  return LAR_OK;
}

static lar_status find(search *s, double first, spot *out) {
  spot former = s->from;
  double t = first;
  for (int k = 0; k < TRIES; k++) {
    LAR_TRY(look(s, t));
    if (is_as_good(s, s->last)) {
      *out = s->last;
      return LAR_OK;
    }
    if (!falls(s, s->last) || (k > 0 && s->last.value >= former.value))
      return zoom(s, former, s->last, TRIES - k, out);
    if (is_flat(s, s->last)) {
      *out = s->last;
      return LAR_OK;
    }
    if (s->last.slope >= 0) return zoom(s, s->last, former, TRIES - k, out);
    former = s->last;
    t *= 4;
  }
  return LAR_OK;
}

lar_status lar_whole_search(lar_whole *h, const double *d, double slope, double first,
                            double *t) {
  search s = {.h = h, .d = d, .from = {0, h->value, slope}, .best = {0, h->value, slope}};
  spot found = {0};
  LAR_TRY(find(&s, first, &found));
  if (found.t == 0) found = s.best; /* no such point met: the lowest, if it is lower */
  *t = found.t;
  if (found.t != 0 && found.t != s.last.t) LAR_TRY(look(&s, found.t));
  if (found.t == 0) {
    h->value = s.from.value;
    lar_whole_put(h, lar_whole_row(h, LAR_POINT));
  }
  return LAR_OK;
}
