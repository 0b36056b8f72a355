/* Total variation of rows, for each dtype. */
#include <math.h>

#include "core/mem.h"
#include "core/real.h"
#include "penalty/penalty.h"
#include "penalty/tv.h"

/* Coordinates [from, to) of a row, with the differences to those before them. */
static double range(const real *w, int64_t from, int64_t to) {
  double sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = from; i < to; i++) sum +=
    fabs((double)w[i] - (double)w[i - 1]);
  return sum;
}

void LAR_R(lar_tv_values)(void *job, int64_t begin, int64_t end) {
  lar_tv_job *j = job;
  const real *w = j->w;
  double sum = 0;
  for (int64_t at = begin, stop; at < end; at = stop) {
    int64_t row = at / j->n * j->n;
    stop = row + j->n < end ? row + j->n : end;
    sum += (double)(w[at] * 0); /* where there are no differences NaN is NaN */
    sum += range(w, at == row ? at + 1 : at, stop);
  }
  j->part[begin / j->grain] = sum;
}

static inline real step(real from, real to, real l) {
  return to > from ? l : to < from ? -l : (real)0;
}

void LAR_R(lar_tv_grads)(void *job, int64_t begin, int64_t end) {
  const lar_tv_job *j = job;
  const real *w = j->w, l = (real)j->l;
  real *g = j->g;
  for (int64_t at = begin, stop; at < end; at = stop) {
    int64_t row = at / j->n * j->n, last = row + j->n - 1;
    stop = last + 1 < end ? last + 1 : end;
    int64_t from = at == row ? at + 1 : at, to = stop > last ? last : stop;
    if (j->n == 1) continue;
    if (at == row) g[row] -= step(w[row], w[row + 1], l);
    _Pragma("GCC ivdep") for (int64_t i = from; i < to; i++) g[i] +=
      step(w[i - 1], w[i], l) - step(w[i], w[i + 1], l);
    if (stop > last && last >= from) g[last] += step(w[last - 1], w[last], l);
  }
}

static bool all_finite(int64_t n, const real *w) {
  real sum = 0;
  _Pragma("omp simd reduction(+ : sum)") for (int64_t i = 0; i < n; i++) sum += w[i] * 0;
  return sum == 0;
}

static lar_status prox_row(const lar_tv_row *r, lar_tv_room *room, double soft) {
  real *w = r->x;
  if (!all_finite(r->n, w)) {
    for (int64_t i = 0; i < r->n; i++) w[i] = (real)NAN;
    return LAR_OK;
  }
  if (r->level > 0 && !LAR_R(lar_tv_flat)(r))
    LAR_TRY(LAR_R(lar_tv_solve)(r, (lar_tv_span){0, r->n, 0, 0}, room));
  for (int64_t i = 0; soft > 0 && i < r->n; i++) w[i] = (real)lar_soft((double)w[i], soft);
  return LAR_OK;
}

void LAR_R(lar_tv_proxes)(void *job, int64_t begin, int64_t end) {
  lar_tv_job *j = job;
  lar_tv_room room = {0};
  lar_status st = LAR_OK;
  for (int64_t k = begin; k < end && st == LAR_OK; k++) {
    real *w = (real *)j->w + k * j->n;
    lar_tv_row r = {.n = j->n, .v = w, .x = w, .step = j->step};
    if (j->metric != NULL) r.metric = (const real *)j->metric + k * j->n;
    r.level = j->metric != NULL ? j->l : j->l * j->step;
    st = prox_row(&r, &room, j->soft);
  }
  if (st != LAR_OK) j->starved = 1;
  lar_tv_clear(&room);
}
