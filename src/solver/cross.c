/* Products of all columns with all, by panels of rows that stay in the cache. */
#include <math.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "core/par.h"
#include "kern/flat.h"
#include "solver/columns.h"
#include "solver/design.h"

/* Columns of a panel do not start a power of two apart: they would meet in the cache. */
enum { ROWS = 512, APART = ROWS + 8, PARTS = 8, LEAST = 1 << 14 };

/* Rows are shared out in parts of a size of their own, whatever the number of threads. */
typedef struct job {
  const lar_design *d;
  const double *w, *u;
  int64_t parts, each; /* rows of a part */
  double *room;
  int64_t gram, dots, rows, size; /* places in the room of a part, and its size */
} job;

static int64_t whole(int64_t n, int64_t of) { return (n + of - 1) / of * of; }

static void roots(const job *j, int64_t row, int64_t n, double *root, double *last) {
  for (int64_t i = 0; i < n; i++) root[i] = sqrt(j->w[row + i]);
  for (int64_t i = 0; i < n && j->u != NULL; i++)
    last[i] = root[i] > 0 ? j->u[row + i] / root[i] : j->u[row + i];
}

static void part(void *ctx, int64_t k) {
  const job *j = ctx;
  const int64_t p = j->d->p, end = (k + 1) * j->each;
  double *pack = j->room + k * j->size, *gram = pack + j->gram, *dots = pack + j->dots;
  double *root = pack + j->rows, *last = root + ROWS;
  memset(gram, 0, (size_t)(p * p) * sizeof *gram);
  memset(dots, 0, (size_t)p * sizeof *dots);
  for (int64_t row = k * j->each; row < end && row < j->d->n; row += ROWS) {
    int64_t stop = end < j->d->n ? end : j->d->n, n = stop - row < ROWS ? stop - row : ROWS;
    if (lar_interrupt_pending()) return;
    roots(j, row, n, root, last);
    for (int64_t c = 0; c < p; c++) {
      double *to = pack + c * APART;
      lar_design_pack(j->d, c, row, n, 0, root, to);
      if (j->u != NULL) dots[c] += lar_columns_f64.dot(n, NULL, to, last);
    }
    lar_flat_square(n, p, pack, APART, gram, p);
  }
}

static void gather(const job *j, double *gram, double *out) {
  const int64_t p = j->d->p;
  for (int64_t c = 0; c < p; c++)
    for (int64_t i = c; i < p; i++) {
      double sum = 0;
      for (int64_t k = 0; k < j->parts; k++) sum += j->room[k * j->size + j->gram + c * p + i];
      gram[i * p + c] = gram[c * p + i] = sum;
    }
  for (int64_t c = 0; c < p && j->u != NULL; c++) {
    out[c] = 0;
    for (int64_t k = 0; k < j->parts; k++) out[c] += j->room[k * j->size + j->dots + c];
  }
}

lar_status lar_design_cross(const lar_design *d, const double *w, const double *u, double *gram,
                            double *out) {
  const int64_t n = d->n, p = d->p;
  job j = {.d = d, .w = w, .u = u};
  void *v;
  j.parts = lar_design_narrow(d) && n >= 2 * LEAST ? n / LEAST : 1;
  if (j.parts > PARTS) j.parts = PARTS;
  j.each = whole((n + j.parts - 1) / j.parts, ROWS);
  j.gram = p * APART, j.dots = j.gram + p * p, j.rows = whole(j.dots + p, 8);
  j.size = j.rows + 2 * ROWS;
  LAR_TRY(lar_alloc_raw(&v, (size_t)(j.parts * j.size), sizeof(double)));
  j.room = v;
  lar_par_tasks(j.parts, part, &j);
  gather(&j, gram, out);
  lar_free(v);
  return LAR_OK;
}
