#include "kern/extreme.h"

#include <string.h>

#include "core/par.h"
#include "kern/loop.h"

enum { GRAIN = 16384, PARTS = 256, PANEL = 64 };

static lar_par_body *rows_of(lar_dtype t) {
  return t == LAR_F32   ? lar_extreme_rows_f32
         : t == LAR_F64 ? lar_extreme_rows_f64
                        : lar_extreme_rows_i64;
}

/* One long row in parts, and the extreme of each. */
typedef struct long_row {
  bool largest;
  lar_dtype t;
  const char *x;
  int64_t n, part, place[PARTS], value[PARTS]; /* values in the dtype of x */
} long_row;

static void parts(void *ctx, int64_t begin, int64_t end) {
  long_row *l = ctx;
  size_t size = lar_dtype_size(l->t);
  for (int64_t k = begin; k < end; k++) {
    int64_t from = k * l->part, n = l->n - from < l->part ? l->n - from : l->part;
    lar_extreme_job j = {l->largest,
                         (char *)l->value + (size_t)k * size,
                         l->place + k,
                         l->x + (size_t)from * size,
                         n,
                         1};
    rows_of(l->t)(&j, 0, 1);
  }
}

/* Row r of a job, cut by its length alone; of equal parts the first has the first. */
static void in_parts(const lar_extreme_job *j, lar_dtype t, int64_t r) {
  size_t size = lar_dtype_size(t);
  long_row l = {.largest = j->largest, .t = t, .n = j->n, .part = (j->n + PARTS - 1) / PARTS};
  if (l.part < GRAIN) l.part = GRAIN;
  int64_t count = (l.n + l.part - 1) / l.part, best;
  l.x = (const char *)j->x + (size_t)(r * j->n) * size;
  lar_par_for(count, 1, parts, &l);
  lar_extreme_job join = {l.largest, NULL, &best, l.value, count, 1};
  rows_of(t)(&join, 0, 1);
  best--;
  if (j->place != NULL) j->place[r] = best * l.part + l.place[best];
  if (j->value != NULL)
    memcpy((char *)j->value + (size_t)r * size, (char *)l.value + (size_t)best * size, size);
}

/* Panels of neighbouring columns. */
typedef struct panels {
  lar_extreme_job *j;
  lar_par_body *rows;
} panels;

static int64_t panel_start(const lar_extreme_job *j, int64_t panel) {
  int64_t across = (j->inner + PANEL - 1) / PANEL;
  return panel / across * j->inner + panel % across * PANEL;
}

static void in_panels(void *ctx, int64_t begin, int64_t end) {
  const panels *p = ctx;
  p->rows(p->j, panel_start(p->j, begin), panel_start(p->j, end));
}

void lar_extreme(bool largest, lar_dtype t, void *value, int64_t *place, const void *x,
                 const int64_t sizes[3]) {
  lar_extreme_job j = {largest, value, place, x, sizes[1], sizes[2]};
  int64_t count = sizes[0] * sizes[2];
  if (sizes[2] == 1 && count < LAR_PAR_LEAST && sizes[1] > GRAIN)
    for (int64_t r = 0; r < count; r++) in_parts(&j, t, r);
  else if (sizes[2] == 1)
    lar_par_for(count, lar_loop_grain(count * sizes[1]) / (sizes[1] + 1) + 1, rows_of(t), &j);
  else if (count * sizes[1] < GRAIN)
    rows_of(t)(&j, 0, count);
  else
    lar_par_shares(sizes[0] * ((sizes[2] + PANEL - 1) / PANEL), in_panels,
                   &(panels){&j, rows_of(t)});
}
