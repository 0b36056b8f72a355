/* What comes out of a table that has been read: rows without gaps, matrices. */
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "io/csv.h"

static const double *row_of(const lar_frame *f, int64_t row) {
  return f->cell + row * f->width;
}

/* The first wanted column that is missing in a row, or -1. */
static int64_t gap(const lar_frame *f, const bool *want, int64_t row) {
  for (int64_t k = 0; k < f->ncol; k++)
    if (want[k] && isnan(row_of(f, row)[f->column[k].slot])) return k;
  return -1;
}

int64_t lar_frame_missing(const lar_frame *f, const bool *want, int64_t *column) {
  for (int64_t row = 0; row < f->nrow; row++) {
    *column = gap(f, want, row);
    if (*column >= 0) return row;
  }
  return -1;
}

int64_t lar_frame_drop(lar_frame *f, const bool *want) {
  int64_t kept = 0, before = f->nrow;
  for (int64_t row = 0; row < before; row++) {
    if (gap(f, want, row) >= 0) continue;
    if (kept != row)
      memcpy(f->cell + kept * f->width, row_of(f, row), (size_t)f->width * sizeof *f->cell);
    f->line[kept++] = f->line[row];
  }
  f->nrow = kept;
  return before - kept;
}

/* One column of a matrix: a cell as it is, or 1 where the cell is this level. */
typedef struct pick {
  int64_t slot;
  double level; /* 0: the cell itself */
} pick;

static int64_t spread(const lar_column *k, bool one_hot) {
  return one_hot && k->kind == LAR_COL_CATEGORY ? k->levels.count : 1;
}

static double picked(const pick *p, const double *row) {
  double v = row[p->slot];
  return p->level == 0 || isnan(v) ? v : (double)(v == p->level);
}

static void fill(const lar_frame *f, const pick *p, int64_t n, const lar_tensor *x) {
  void *to = lar_tensor_data(x);
  for (int64_t i = 0; i < f->nrow; i++) {
    const double *row = row_of(f, i);
    if (x->dtype == LAR_F32)
      for (int64_t j = 0; j < n; j++) ((float *)to)[i * n + j] = (float)picked(&p[j], row);
    else if (x->dtype == LAR_F64)
      for (int64_t j = 0; j < n; j++) ((double *)to)[i * n + j] = picked(&p[j], row);
    else
      for (int64_t j = 0; j < n; j++) lar_tensor_put(x, i * n + j, picked(&p[j], row));
  }
}

lar_status lar_frame_matrix(const lar_frame *f, int64_t n, const int64_t *column, bool one_hot,
                            lar_dtype dtype, lar_tensor *x) {
  void *picks;
  int64_t p = 0, at = 0;
  *x = (lar_tensor){0};
  for (int64_t k = 0; k < n; k++) p += spread(&f->column[column[k]], one_hot);
  LAR_TRY(lar_alloc(&picks, (size_t)p + 1, sizeof(pick)));
  for (int64_t k = 0; k < n; k++) {
    const lar_column *c = &f->column[column[k]];
    bool hot = one_hot && c->kind == LAR_COL_CATEGORY;
    for (int64_t level = 1; level <= spread(c, one_hot); level++)
      ((pick *)picks)[at++] = (pick){c->slot, hot ? (double)level : 0};
  }
  lar_status st = lar_tensor_init(x, dtype, 2, (int64_t[]){f->nrow, p});
  if (st == LAR_OK) fill(f, picks, p, x);
  lar_free(picks);
  return st;
}
