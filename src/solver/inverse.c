#include "solver/inverse.h"

#include <string.h>

#include "core/mem.h"
#include "solver/columns.h"

enum { LATE = 16 };

void lar_inverse_close(lar_inverse *k) {
  lar_free(k->at);
  lar_free(k->late);
  *k = (lar_inverse){0};
}

void lar_inverse_sum(int64_t n, int64_t m, const double *const *x, const double *f,
                     double *out) {
  int64_t c = 0;
  memset(out, 0, (size_t)n * sizeof *out);
  for (; c + 4 <= m; c += 4) {
    const double *a = x[c], *b = x[c + 1], *d = x[c + 2], *e = x[c + 3];
    const double fa = f[c], fb = f[c + 1], fd = f[c + 2], fe = f[c + 3];
    for (int64_t i = 0; i < n; i++) out[i] += (fa * a[i] + fb * b[i]) + (fd * d[i] + fe * e[i]);
  }
  for (; c < m; c++)
    for (int64_t i = 0; i < n; i++) out[i] += f[c] * x[c][i];
}

static void settle(lar_inverse *k) {
  const double *late = k->late;
  for (int64_t c = 0; c < k->n; c++) {
    double *to = k->at + c * k->side;
    int64_t l = 0;
    for (; l + 4 <= k->waiting; l += 4) {
      const double *v[4];
      double f[4];
      for (int i = 0; i < 4; i++) {
        v[i] = late + (l + i) * k->side;
        f[i] = k->times[l + i] * v[i][c];
      }
      for (int64_t i = 0; i < k->n; i++)
        to[i] += (f[0] * v[0][i] + f[1] * v[1][i]) + (f[2] * v[2][i] + f[3] * v[3][i]);
    }
    for (; l < k->waiting; l++) {
      const double *v = late + l * k->side, f = k->times[l] * v[c];
      for (int64_t i = 0; i < k->n; i++) to[i] += f * v[i];
    }
  }
  k->waiting = 0;
}

lar_status lar_inverse_room(lar_inverse *k, int64_t n) {
  void *v, *late;
  if (n > k->side) {
    settle(k);
    const int64_t side = n + n / 4 + 16;
    LAR_TRY(lar_alloc(&v, (size_t)(side * side), sizeof(double)));
    lar_status st = lar_alloc(&late, (size_t)(LATE * (side + 1)), sizeof(double));
    if (st != LAR_OK) {
      lar_free(v);
      return st;
    }
    double *to = v;
    for (int64_t c = 0; c < k->n; c++)
      memcpy(to + c * side, k->at + c * k->side, (size_t)k->n * sizeof *to);
    lar_free(k->at);
    lar_free(k->late);
    k->at = to, k->late = late, k->times = k->late + LATE * side;
    k->side = side;
  }
  for (int64_t c = k->n; c < n; c++) memset(k->at + c * k->side, 0, (size_t)n * sizeof *k->at);
  for (int64_t c = 0; c < k->n && n > k->n; c++)
    memset(k->at + c * k->side + k->n, 0, (size_t)(n - k->n) * sizeof *k->at);
  for (int64_t l = 0; l < k->waiting && n > k->n; l++)
    memset(k->late + l * k->side + k->n, 0, (size_t)(n - k->n) * sizeof *k->late);
  k->n = n;
  return LAR_OK;
}

void lar_inverse_apply(const lar_inverse *k, const double *v, double *out) {
  int64_t c = 0;
  const int64_t n = k->n;
  memset(out, 0, (size_t)n * sizeof *out);
  for (; c + 4 <= n; c += 4) {
    const double *a = k->at + c * k->side, *b = a + k->side, *d = b + k->side, *e = d + k->side;
    const double fa = v[c], fb = v[c + 1], fd = v[c + 2], fe = v[c + 3];
    for (int64_t i = 0; i < n; i++) out[i] += (fa * a[i] + fb * b[i]) + (fd * d[i] + fe * e[i]);
  }
  for (; c < n; c++)
    for (int64_t i = 0; i < n; i++) out[i] += v[c] * k->at[c * k->side + i];
  for (int64_t l = 0; l < k->waiting; l++) {
    const double *late = k->late + l * k->side;
    const double f = k->times[l] * lar_columns_f64.dot(n, NULL, late, v);
    for (int64_t i = 0; i < n; i++) out[i] += f * late[i];
  }
}

void lar_inverse_column(const lar_inverse *k, int64_t c, double *out) {
  memcpy(out, k->at + c * k->side, (size_t)k->n * sizeof *out);
  for (int64_t l = 0; l < k->waiting; l++) {
    const double *late = k->late + l * k->side, f = k->times[l] * late[c];
    for (int64_t i = 0; i < k->n; i++) out[i] += f * late[i];
  }
}

void lar_inverse_add(lar_inverse *k, double f, const double *v) {
  if (k->n == 0) return;
  if (k->waiting == LATE) settle(k);
  memcpy(k->late + k->waiting * k->side, v, (size_t)k->n * sizeof *v);
  k->times[k->waiting++] = f;
}
