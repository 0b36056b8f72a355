/*
 * io/csv - delimited text as a table of typed columns.
 *
 * Floor:    io (may include: core).
 * Source:   RFC 4180: quoted fields hold separators, line ends and doubled quotes. Beyond it:
 *           any line end (LF, CRLF, CR), a UTF-8 mark at the start, blanks around fields,
 *           blank lines (skipped), comment lines, other separators and decimal points.
 * Contract: lar_frame_open finds separator, header and names; then the caller says in each
 *           column's `kind` what it wants, and lar_frame_read fills the cells. Every cell is
 *           a double: the number, 0 or 1, or the 1-based position among the column's levels;
 *           NaN where missing. Text that is not a table is LAR_EIO with file and line. A
 *           frame that is all zeros is safe to clear; nothing is left in one that failed
 *           that lar_frame_clear does not free.
 */
#ifndef LAR_IO_CSV_H
#define LAR_IO_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "core/tensor.h"
#include "io/bytes.h"

typedef enum lar_col {
  LAR_COL_SKIP,     /* not wanted */
  LAR_COL_AUTO,     /* wanted: number, integer, boolean, category, date or string, as it is */
  LAR_COL_TARGET,   /* the same, but what is not a number is a category */
  LAR_COL_NUMBER,   /* any number */
  LAR_COL_INTEGER,  /* written without point or exponent, within 2^53 */
  LAR_COL_BOOLEAN,  /* true false yes no 1 0, any case: 1 or 0 */
  LAR_COL_CATEGORY, /* levels, sorted: by value when all are numbers, else by bytes */
  LAR_COL_DATE,     /* year-month-day, or day and year the other way round: levels unsorted */
  LAR_COL_STRING,   /* any text: levels unsorted */
} lar_col;

const char *lar_col_name(lar_col k);
lar_col lar_col_find(const char *name); /* LAR_COL_SKIP when there is none */

/* Is text here a position among levels? */
static inline bool lar_col_has_levels(lar_col k) { return k >= LAR_COL_CATEGORY; }

typedef struct lar_slice {
  const char *at;
  int64_t size;
} lar_slice;

typedef struct lar_levels {
  int64_t count;
  lar_slice *text;
  size_t cap, mask; /* of text; of slot, a power of 2 less 1 */
  int64_t *slot;    /* open addressing: level + 1, or 0 */
} lar_levels;

typedef struct lar_column {
  lar_slice name;
  lar_col kind;
  bool whole, seen, text; /* while reading: all integers; any value; not numbers */
  int64_t slot;           /* which cell of a row; -1: none */
  lar_levels levels;
} lar_column;

typedef struct lar_csv {
  char sep;     /* 0: find out among , ; tab | */
  char quote;   /* 0: none */
  char decimal; /* the decimal point */
  char comment; /* lines that start with it are skipped; 0: none */
  int header;   /* 1 yes, 0 no, -1: unless a field of the first line is a number */
  int64_t skip; /* lines to leave out at the top */
} lar_csv;

typedef struct lar_frame {
  char *name; /* for messages */
  lar_bytes text;
  lar_csv csv;
  bool header;
  int64_t nrow, ncol, width; /* width: cells in a row */
  lar_column *column;
  double *cell;
  int64_t *line; /* of each row, from 1 */
  size_t body;   /* where the first row starts, and its line */
  int64_t body_line;
} lar_frame;

/* What reading takes for missing: words, each ended by a zero byte, and the empty field. */
typedef struct lar_missing {
  const lar_slice *word;
  int64_t count;
} lar_missing;

/* f->text and f->name are in place. */
lar_status lar_frame_open(lar_frame *f, const lar_csv *csv);

/* More than max_levels different texts in an AUTO column make it a string column. */
lar_status lar_frame_read(lar_frame *f, const lar_missing *missing, int64_t max_levels);

void lar_frame_clear(lar_frame *f);

/* ---- what came in ---- */

/* 'name' of column k, or its number if it has none, for messages. */
const char *lar_column_text(const lar_frame *f, int64_t k, char *buf, size_t n);

/* First missing cell among the columns with want[k]: row or -1, and its column. */
int64_t lar_frame_missing(const lar_frame *f, const bool *want, int64_t *column);

/* Leave out the rows in which a column with want[k] is missing; returns how many went. */
int64_t lar_frame_drop(lar_frame *f, const bool *want);

/* The cells of some columns, side by side, as x (nrow, p): a category spreads over as many
 * columns as it has levels if `one_hot`. x is allocated here. */
lar_status lar_frame_matrix(const lar_frame *f, int64_t n, const int64_t *column, bool one_hot,
                            lar_dtype dtype, lar_tensor *x);

#endif
