#include "io/levels.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "io/decimal.h"

enum { SHOWN = 40 };

/* ---- the set of texts ---- */

static uint64_t hash(const lar_slice *s) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (int64_t k = 0; k < s->size; k++) h = (h ^ (uint8_t)s->at[k]) * UINT64_C(0x100000001b3);
  return h ^ (h >> 29);
}

static bool same(const lar_slice *a, const lar_slice *b) {
  return a->size == b->size && memcmp(a->at, b->at, (size_t)a->size) == 0;
}

/* Where the text is, or the empty slot where it belongs. */
static int64_t *probe(const lar_levels *v, const lar_slice *s) {
  size_t at = hash(s) & v->mask;
  while (v->slot[at] != 0 && !same(&v->text[v->slot[at] - 1], s)) at = (at + 1) & v->mask;
  return &v->slot[at];
}

/* Twice the slots: at most half of them are taken. */
static lar_status widen(lar_levels *v) {
  size_t n = v->slot == NULL ? 16 : 2 * (v->mask + 1);
  void *fresh;
  LAR_TRY(lar_alloc(&fresh, n, sizeof *v->slot));
  lar_free(v->slot);
  v->slot = fresh;
  v->mask = n - 1;
  for (int64_t k = 0; k < v->count; k++) *probe(v, &v->text[k]) = k + 1;
  return LAR_OK;
}

lar_status lar_levels_add(lar_levels *v, const lar_slice *s, int64_t *at) {
  if (v->slot == NULL || 2 * (size_t)v->count > v->mask) LAR_TRY(widen(v));
  int64_t *slot = probe(v, s);
  if (*slot == 0) {
    LAR_TRY(lar_grow((void **)&v->text, &v->cap, (size_t)v->count + 1, sizeof *v->text));
    v->text[v->count] = *s;
    *slot = ++v->count;
  }
  *at = *slot - 1;
  return LAR_OK;
}

void lar_levels_clear(lar_levels *v) {
  lar_free(v->text);
  lar_free(v->slot);
  *v = (lar_levels){0};
}

/* ---- what they look like ---- */

static bool is_word(const lar_slice *s, const char *word) {
  return (size_t)s->size == strlen(word) && strncasecmp(s->at, word, (size_t)s->size) == 0;
}

int lar_truth_read(const lar_slice *s) {
  if (is_word(s, "true") || is_word(s, "yes") || is_word(s, "1")) return 1;
  return is_word(s, "false") || is_word(s, "no") || is_word(s, "0") ? 0 : -1;
}

static bool is_truth(const lar_frame *f, const lar_slice *s) {
  (void)f;
  return lar_truth_read(s) >= 0;
}

/* 2024-05-31, 31/05/2024, 31.5.2024; with a time or anything else after 'T' or a blank. */
static bool is_date(const lar_frame *f, const lar_slice *s) {
  int digits[3] = {0}, part = 0;
  int64_t k = 0;
  (void)f;
  for (; k < s->size && s->at[k] != ' ' && s->at[k] != 'T'; k++) {
    char c = s->at[k];
    if (c >= '0' && c <= '9')
      digits[part]++;
    else if ((c == '-' || c == '/' || c == '.') && digits[part] > 0 && part < 2)
      part++;
    else
      return false;
  }
  bool year = (digits[0] == 4 && digits[2] < 3) || (digits[2] == 4 && digits[0] < 3);
  return part == 2 && year && digits[1] > 0 && digits[1] < 3 && digits[2] > 0;
}

static bool read_number(const lar_frame *f, const lar_slice *s, double *v) {
  bool whole;
  return s->size > 0 && lar_decimal_read(s->at, f->csv.decimal, v, &whole) == s->at + s->size;
}

static bool is_number(const lar_frame *f, const lar_slice *s) {
  double v;
  return read_number(f, s, &v);
}

static int64_t how_many(const lar_frame *f, const lar_column *k,
                        bool test(const lar_frame *, const lar_slice *)) {
  int64_t n = 0;
  for (int64_t i = 0; i < k->levels.count; i++) n += test(f, &k->levels.text[i]);
  return n;
}

/* ---- kinds ---- */

static double *cell(const lar_frame *f, const lar_column *k, int64_t row) {
  return &f->cell[row * f->width + k->slot];
}

/* cell = to[cell - 1], the missing ones left as they are */
static void recode(lar_frame *f, const lar_column *k, const double *to) {
  for (int64_t row = 0; row < f->nrow; row++) {
    double *c = cell(f, k, row);
    if (*c == *c) *c = to[(int64_t)*c - 1];
  }
}

typedef struct item {
  lar_slice text;
  double value;
  int64_t from;
} item;

static int by_value(const void *pa, const void *pb) {
  const item *a = pa, *b = pb;
  if (a->value != b->value) return a->value < b->value ? -1 : 1;
  return (a->from > b->from) - (a->from < b->from);
}

static int by_text(const void *pa, const void *pb) {
  const lar_slice *a = &((const item *)pa)->text, *b = &((const item *)pb)->text;
  int order = memcmp(a->at, b->at, (size_t)(a->size < b->size ? a->size : b->size));
  return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* Levels in order, and the cells with them. */
static lar_status sort(lar_frame *f, lar_column *k) {
  size_t n = (size_t)k->levels.count;
  void *items = NULL, *to = NULL;
  lar_status st;
  if (n == 0) return LAR_OK;
  LAR_GO(lar_alloc(&items, n, sizeof(item)));
  LAR_GO(lar_alloc(&to, n, sizeof(double)));
  item *list = items;
  bool numbers = true;
  for (size_t i = 0; i < n; i++) {
    list[i] = (item){.text = k->levels.text[i], .from = (int64_t)i};
    numbers = read_number(f, &list[i].text, &list[i].value) && numbers;
  }
  qsort(list, n, sizeof *list, numbers ? by_value : by_text);
  for (size_t i = 0; i < n; i++) {
    k->levels.text[i] = list[i].text;
    ((double *)to)[list[i].from] = (double)i + 1;
  }
  recode(f, k, to);
done:
  lar_free(items);
  lar_free(to);
  return st;
}

static lar_status truths(lar_frame *f, lar_column *k) {
  void *to;
  LAR_TRY(lar_alloc(&to, (size_t)k->levels.count + 1, sizeof(double)));
  for (int64_t i = 0; i < k->levels.count; i++)
    ((double *)to)[i] = lar_truth_read(&k->levels.text[i]);
  recode(f, k, to);
  lar_free(to);
  k->kind = LAR_COL_BOOLEAN;
  return LAR_OK;
}

/* Are nearly all texts numbers, or most of a great many? Then something is not one. */
static bool is_stray(const lar_frame *f, const lar_column *k, int64_t max_levels) {
  int64_t n = k->levels.count, numbers = how_many(f, k, is_number);
  return (n >= 10 && 10 * numbers >= 9 * n) || (n > max_levels && 2 * numbers > n);
}

static lar_status stray(const lar_frame *f, const lar_column *k) {
  char name[SHOWN + 3];
  int64_t bad = 0, row = 0;
  while (is_number(f, &k->levels.text[bad])) bad++;
  while (row < f->nrow - 1 && *cell(f, k, row) != (double)(bad + 1)) row++;
  const lar_slice *s = &k->levels.text[bad];
  return lar_fail(LAR_EIO,
                  "%s:%lld: '%.*s' in column %s, where most are numbers; if it stands for a "
                  "missing value, list it in `missing`",
                  f->name, (long long)f->line[row], (int)(s->size < SHOWN ? s->size : SHOWN),
                  s->at, lar_column_text(f, k - f->column, name, sizeof name));
}

static lar_status guess(lar_frame *f, lar_column *k, int64_t max_levels) {
  int64_t n = k->levels.count;
  if (how_many(f, k, is_truth) == n) return truths(f, k);
  k->kind = LAR_COL_DATE;
  if (how_many(f, k, is_date) == n) return LAR_OK;
  if (is_stray(f, k, max_levels)) return stray(f, k);
  k->kind = LAR_COL_STRING;
  if (n > max_levels) return LAR_OK;
  k->kind = LAR_COL_CATEGORY;
  return sort(f, k);
}

lar_status lar_levels_settle(lar_frame *f, lar_column *k, int64_t max_levels) {
  switch (k->kind) {
  case LAR_COL_AUTO: return guess(f, k, max_levels);
  case LAR_COL_TARGET: k->kind = LAR_COL_CATEGORY; return sort(f, k);
  case LAR_COL_CATEGORY: return sort(f, k);
  case LAR_COL_BOOLEAN: return truths(f, k);
  default: return LAR_OK;
  }
}
