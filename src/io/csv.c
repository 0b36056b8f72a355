#include "io/csv.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/interrupt.h"
#include "core/mem.h"
#include "io/decimal.h"
#include "io/levels.h"

enum { SHOWN = 40, POLL = 4095 };

/* A place in the text: fields are taken from here one after the other. */
typedef struct scan {
  const lar_frame *f;
  char *p, *end;
  int64_t line;
  bool more;      /* the field just taken is not the record's last */
  bool doubt;     /* a number may stand for a missing value */
  bool stop[256]; /* bytes that end a field */
} scan;

static const char *const names[] = {"skip",    "auto",     "target", "number", "integer",
                                    "boolean", "category", "date",   "string"};

const char *lar_col_name(lar_col k) { return names[k]; }

lar_col lar_col_find(const char *name) {
  for (int k = LAR_COL_NUMBER; k <= LAR_COL_STRING; k++)
    if (strcmp(names[k], name) == 0) return (lar_col)k;
  return LAR_COL_SKIP;
}

/* ---- records and fields ---- */

static scan start(const lar_frame *f, size_t at, int64_t line) {
  scan c = {.f = f, .p = f->text.data + at, .end = f->text.data + f->text.size, .line = line};
  c.stop[(uint8_t)f->csv.sep] = c.stop['\n'] = c.stop['\r'] = c.stop[0] = true;
  if (f->csv.sep == ' ') c.stop['\t'] = true;
  return c;
}

static bool is_blank(const scan *c, char b) {
  return b == ' ' || (b == '\t' && c->f->csv.sep != '\t');
}

static char *skip_blanks(const scan *c, char *p) {
  while (is_blank(c, *p)) p++;
  return p;
}

/* Over the line end at p, if there is one. */
static char *line_end(scan *c, char *p) {
  if (*p == '\r' || *p == '\n') {
    p += p[0] == '\r' && p[1] == '\n' ? 2 : 1;
    c->line++;
  }
  return p;
}

static char *over_line(scan *c, char *p) {
  while (p < c->end && *p != '\n' && *p != '\r') p++;
  return line_end(c, p);
}

/* To the next record, over blank lines and comments; false at the end of the text. */
static bool next_record(scan *c) {
  while (c->p < c->end) {
    char *p = skip_blanks(c, c->p);
    if (c->f->csv.comment != 0 && *p == c->f->csv.comment)
      c->p = over_line(c, p);
    else if (*p == '\n' || *p == '\r')
      c->p = line_end(c, p);
    else
      return p < c->end;
  }
  return false;
}

/* What ends the field at p: a separator, a line end, or the end of the text. */
static lar_status finish(scan *c, char *p) {
  char sep = c->f->csv.sep;
  if (sep == ' ') p = skip_blanks(c, p);
  if (*p == 0 && p < c->end)
    return lar_fail(LAR_EIO, "%s:%lld: a zero byte; this is not text", c->f->name,
                    (long long)c->line);
  if (sep == ' ')
    c->more = p < c->end && *p != '\n' && *p != '\r';
  else
    c->more = *p == sep && p < c->end;
  c->p = !c->more ? line_end(c, p) : sep == ' ' ? p : p + 1;
  return LAR_OK;
}

/* "a ""quoted"" field" -> a "quoted" field, in place; blanks fill what is left over, so that
 * lines can still be counted. */
static void unquote(lar_slice *s, char *from, const char *to, char quote) {
  char *put = from;
  for (const char *get = from; get < to; get++) {
    *put++ = *get;
    if (*get == quote) get++;
  }
  s->size = put - from;
  while (put < to) *put++ = ' ';
}

/* A field that starts with a quote at c->p. */
static lar_status take_quoted(scan *c, lar_slice *s, bool keep) {
  const char quote = c->f->csv.quote;
  char *from = c->p + 1, *p = from;
  int64_t line = c->line;
  bool doubled = false;
  for (; p < c->end; p++) {
    if (*p == quote && p[1] != quote) break;
    if (*p == quote) p++, doubled = true;
    if (*p == '\n' || (*p == '\r' && p[1] != '\n')) c->line++;
  }
  if (p >= c->end)
    return lar_fail(LAR_EIO, "%s:%lld: the quote that opens here is not closed", c->f->name,
                    (long long)line);
  *s = (lar_slice){.at = from, .size = p - from};
  if (doubled && keep) unquote(s, from, p, quote);
  p = skip_blanks(c, p + 1);
  if (!c->stop[(uint8_t)*p] && !(c->f->csv.sep == ' ' && is_blank(c, p[-1])))
    return lar_fail(LAR_EIO, "%s:%lld: '%c' after the closing quote of a field", c->f->name,
                    (long long)c->line, *p);
  return finish(c, p);
}

/* The next field, without the blanks around it. `keep`: its text stays as it is taken. */
static lar_status take(scan *c, lar_slice *s, bool keep) {
  c->p = skip_blanks(c, c->p);
  if (c->f->csv.quote != 0 && *c->p == c->f->csv.quote) return take_quoted(c, s, keep);
  char *p = c->p, *last;
  while (!c->stop[(uint8_t)*p]) p++;
  for (last = p; last > c->p && is_blank(c, last[-1]); last--) {
  }
  *s = (lar_slice){.at = c->p, .size = last - c->p};
  return finish(c, p);
}

static bool is_number(const lar_frame *f, const lar_slice *s, double *v, bool *whole) {
  return s->size > 0 && lar_decimal_read(s->at, f->csv.decimal, v, whole) == s->at + s->size;
}

const char *lar_column_text(const lar_frame *f, int64_t k, char *buf, size_t n) {
  const lar_slice *s = &f->column[k].name;
  int size = s->size < (int64_t)n - 3 ? (int)s->size : (int)n - 3;
  if (s->size > 0)
    (void)snprintf(buf, n, "'%.*s'", size, s->at);
  else
    (void)snprintf(buf, n, "%lld", (long long)k + 1);
  return buf;
}

/* ---- opening: separator, header, names ---- */

/* The candidate that is most often in the first record. */
static char find_sep(const scan *c) {
  static const char candidates[] = ",;\t|";
  int count[sizeof candidates] = {0}, best = 0;
  bool quoted = false;
  char quote = c->f->csv.quote, decimal = c->f->csv.decimal;
  for (const char *p = c->p; p < c->end && (quoted || (*p != '\n' && *p != '\r')); p++) {
    const char *at = *p != 0 ? strchr(candidates, *p) : NULL;
    if (quote != 0 && *p == quote) quoted = !quoted;
    if (at != NULL && !quoted && *p != decimal) count[at - candidates]++;
  }
  for (int k = 1; candidates[k] != 0; k++)
    if (count[k] > count[best]) best = k;
  return candidates[best];
}

static lar_status check_text(const lar_frame *f, size_t *at) {
  const uint8_t *b = (const uint8_t *)f->text.data;
  size_t n = f->text.size;
  *at = n >= 3 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf ? 3 : 0;
  if (n >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff)))
    return lar_fail(LAR_EIO, "%s: this is UTF-16; save it as UTF-8", f->name);
  return LAR_OK;
}

/* The first record: how many columns, their names if it is a header. */
static lar_status first_record(lar_frame *f, scan *c) {
  size_t cap = 0;
  bool numbers = false, whole;
  double v;
  do {
    lar_slice s;
    LAR_TRY(take(c, &s, false));
    LAR_TRY(lar_grow((void **)&f->column, &cap, (size_t)f->ncol + 1, sizeof *f->column));
    numbers |= is_number(f, &s, &v, &whole);
    f->column[f->ncol++] = (lar_column){.kind = LAR_COL_AUTO};
  } while (c->more);
  f->header = f->csv.header < 0 ? !numbers : f->csv.header > 0;
  return LAR_OK;
}

static lar_status read_header(lar_frame *f, scan *c) {
  for (int64_t k = 0; k < f->ncol; k++) LAR_TRY(take(c, &f->column[k].name, true));
  f->body = (size_t)(c->p - f->text.data);
  f->body_line = c->line;
  return LAR_OK;
}

lar_status lar_frame_open(lar_frame *f, const lar_csv *csv) {
  size_t at;
  f->csv = *csv;
  LAR_TRY(check_text(f, &at));
  scan c = start(f, at, 1);
  for (int64_t k = 0; k < csv->skip; k++) c.p = over_line(&c, c.p);
  f->csv.sep = csv->sep != 0 ? csv->sep : '\t'; /* blank lines hold no tabs */
  if (!next_record(&c)) return lar_fail(LAR_EIO, "%s: there is nothing in it", f->name);
  if (csv->sep == 0) f->csv.sep = find_sep(&c);
  f->body = (size_t)(c.p - f->text.data);
  f->body_line = c.line;
  c = start(f, f->body, f->body_line);
  LAR_TRY(first_record(f, &c));
  c = start(f, f->body, f->body_line);
  if (f->header) LAR_TRY(read_header(f, &c));
  return LAR_OK;
}

/* ---- reading the cells ---- */

/* No fewer than there are rows: a row of n fields has n - 1 separators and a line end. */
static size_t row_bound(const lar_frame *f) {
  const char *p = f->text.data + f->body, *end = f->text.data + f->text.size;
  size_t lines = 2, most = (size_t)(end - p + 1) / (size_t)f->ncol + 2;
  for (const char *q = p; (q = memchr(q, '\n', (size_t)(end - q))) != NULL; q++) lines++;
  for (const char *q = p; (q = memchr(q, '\r', (size_t)(end - q))) != NULL; q++)
    lines += q[1] != '\n';
  return lines < most ? lines : most;
}

static bool is_missing(const lar_missing *m, const lar_slice *s) {
  if (s->size == 0) return true;
  for (int64_t k = 0; k < m->count; k++)
    if (m->word[k].size == s->size && memcmp(m->word[k].at, s->at, (size_t)s->size) == 0)
      return true;
  return false;
}

static lar_status misfit(const scan *c, int64_t line, const lar_column *k, const lar_slice *s,
                         const char *what) {
  char name[SHOWN + 3];
  int shown = (int)(s->size < SHOWN ? s->size : SHOWN);
  return lar_fail(LAR_EIO, "%s:%lld: '%.*s' in column %s is not %s", c->f->name,
                  (long long)line, shown, s->at,
                  lar_column_text(c->f, k - c->f->column, name, sizeof name), what);
}

static bool wants_numbers(const lar_column *k) {
  return !k->text && k->kind >= LAR_COL_AUTO && k->kind <= LAR_COL_INTEGER;
}

static lar_status note_number(const scan *c, lar_column *k, const lar_slice *s, double v,
                              bool whole) {
  whole = whole && fabs(v) <= 0x1p53;
  if (!whole && k->kind == LAR_COL_INTEGER) return misfit(c, c->line, k, s, "an integer");
  k->whole = k->whole && whole;
  k->seen = true;
  return LAR_OK;
}

/* A cell on the first walk: numbers are read; a column that holds anything else is marked. */
static lar_status read_number(scan *c, lar_column *k, const lar_missing *m, double *cell) {
  bool whole;
  char *from = skip_blanks(c, c->p);
  const char *after = lar_decimal_read(from, c->f->csv.decimal, cell, &whole);
  char *to = skip_blanks(c, from + (after - from));
  if (after > from && !c->doubt &&
      (c->stop[(uint8_t)*to] || (c->f->csv.sep == ' ' && to > after))) {
    LAR_TRY(note_number(c, k, &(lar_slice){from, after - from}, *cell, whole));
    return finish(c, to);
  }
  lar_slice s;
  int64_t line = c->line;
  LAR_TRY(take(c, &s, false));
  if (is_missing(m, &s)) {
    *cell = NAN;
    return LAR_OK;
  }
  if (is_number(c->f, &s, cell, &whole)) return note_number(c, k, &s, *cell, whole);
  if (k->kind == LAR_COL_NUMBER || k->kind == LAR_COL_INTEGER)
    return misfit(c, line, k, &s, k->kind == LAR_COL_NUMBER ? "a number" : "an integer");
  k->text = true;
  return LAR_OK;
}

/* A cell on the second walk: the text's place among the levels of its column. */
static lar_status read_text(scan *c, lar_column *k, const lar_missing *m, double *cell) {
  lar_slice s;
  int64_t at, line = c->line;
  LAR_TRY(take(c, &s, true));
  if (is_missing(m, &s)) {
    *cell = NAN;
    return LAR_OK;
  }
  if (k->kind == LAR_COL_BOOLEAN && lar_truth_read(&s) < 0)
    return misfit(c, line, k, &s, "true or false");
  LAR_TRY(lar_levels_add(&k->levels, &s, &at));
  *cell = (double)(at + 1);
  return LAR_OK;
}

static lar_status ragged(const scan *c, int64_t line, int64_t fields) {
  const lar_frame *f = c->f;
  return lar_fail(LAR_EIO, "%s:%lld: %lld field%s, the %s has %lld", f->name, (long long)line,
                  (long long)fields, fields == 1 ? "" : "s", f->header ? "header" : "first row",
                  (long long)f->ncol);
}

/* How many fields the record that starts at c->p has; -1 when it cannot be read. */
static int64_t count_fields(scan *c) {
  int64_t n = 0;
  lar_slice s;
  do {
    if (take(c, &s, false) != LAR_OK) return -1;
    n++;
  } while (c->more);
  return n;
}

static lar_status read_row(lar_frame *f, scan *c, const lar_missing *m, bool texts,
                           double *row) {
  scan at = *c;
  lar_slice s;
  int64_t line = c->line, n;
  for (int64_t j = 0; j < f->ncol; j++) {
    lar_column *k = &f->column[j];
    if (!texts && wants_numbers(k))
      LAR_TRY(read_number(c, k, m, row + k->slot));
    else if (texts && k->text)
      LAR_TRY(read_text(c, k, m, row + k->slot));
    else
      LAR_TRY(take(c, &s, false));
    if (c->more != (j + 1 < f->ncol)) {
      n = count_fields(&at);
      return n < 0 ? LAR_EIO : ragged(c, line, n);
    }
  }
  return LAR_OK;
}

/* Is there a number among the words? */
static bool has_number(const lar_frame *f, const lar_missing *m) {
  double v;
  bool whole, any = false;
  for (int64_t k = 0; k < m->count; k++) any |= is_number(f, &m->word[k], &v, &whole);
  return any;
}

/* One walk over all rows: numbers first, then the columns that turned out to be text. */
static lar_status walk(lar_frame *f, const lar_missing *m, bool texts, size_t most) {
  scan c = start(f, f->body, f->body_line);
  int64_t row = 0;
  c.doubt = has_number(f, m);
  for (; next_record(&c); row++) {
    if ((size_t)row >= most) return lar_fail(LAR_EIO, "%s: more rows than lines", f->name);
    if ((row & POLL) == POLL && lar_interrupt_pending())
      return lar_fail(LAR_EINTR, "%s: interrupted", f->name);
    f->line[row] = c.line;
    LAR_TRY(read_row(f, &c, m, texts, f->cell + row * f->width));
  }
  f->nrow = row;
  return LAR_OK;
}

static lar_status settle(lar_frame *f, lar_column *k, int64_t max_levels) {
  if (k->text) return lar_levels_settle(f, k, max_levels);
  if (k->kind == LAR_COL_AUTO || k->kind == LAR_COL_TARGET)
    k->kind = k->whole && k->seen ? LAR_COL_INTEGER : LAR_COL_NUMBER;
  return LAR_OK;
}

lar_status lar_frame_read(lar_frame *f, const lar_missing *missing, int64_t max_levels) {
  bool texts = false;
  f->width = 0;
  for (int64_t j = 0; j < f->ncol; j++) {
    lar_column *k = &f->column[j];
    k->slot = k->kind == LAR_COL_SKIP ? -1 : f->width++;
    k->whole = true;
    k->text = k->kind >= LAR_COL_BOOLEAN;
  }
  size_t most = row_bound(f);
  LAR_TRY(lar_alloc_raw((void **)&f->line, most, sizeof *f->line));
  LAR_TRY(lar_alloc_raw((void **)&f->cell, most * (size_t)f->width + 1, sizeof *f->cell));
  LAR_TRY(walk(f, missing, false, most));
  for (int64_t j = 0; j < f->ncol; j++) texts |= f->column[j].text;
  if (texts) LAR_TRY(walk(f, missing, true, most));
  for (int64_t j = 0; j < f->ncol; j++) LAR_TRY(settle(f, &f->column[j], max_levels));
  return LAR_OK;
}

void lar_frame_clear(lar_frame *f) {
  for (int64_t k = 0; k < f->ncol; k++) lar_levels_clear(&f->column[k].levels);
  lar_bytes_clear(&f->text);
  lar_free(f->name);
  lar_free(f->column);
  lar_free(f->cell);
  lar_free(f->line);
  *f = (lar_frame){0};
}
