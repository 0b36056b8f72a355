#include "io/libsvm.h"

#include <string.h>

#include "core/mem.h"
#include "io/bytes.h"
#include "io/decimal.h"

/* What has been read: labels, and entries in rows. */
typedef struct reader {
  const char *path, *at, *end;
  int64_t line, lowest, highest;
  double *label, *value;
  int64_t *start, *index;
  int64_t n, nnz;
  size_t labels, starts, indices, values; /* room in the arrays */
} reader;

static lar_status bad(const reader *r, const char *what) {
  return lar_fail(LAR_EIO, "%s: line %lld: %s", r->path, (long long)r->line, what);
}

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool ended(const reader *r) {
  return r->at == r->end || *r->at == '\n' || *r->at == '#';
}

static void skip_blanks(reader *r) {
  while (r->at < r->end && blank(*r->at)) r->at++;
}

/* The number here, which `after` or a blank or the line's end must follow. */
static bool number(reader *r, char after, double *out) {
  bool whole = false;
  const char *end = lar_decimal_read(r->at, '.', out, &whole);
  bool found = end > r->at;
  r->at = end;
  return found &&
         (after != 0 ? r->at < r->end && *r->at++ == after : ended(r) || blank(*r->at));
}

/* Room for one more row and one more entry. */
static lar_status room(reader *r) {
  size_t n = (size_t)r->n + 2, m = (size_t)r->nnz + 1;
  LAR_TRY(lar_grow((void **)&r->label, &r->labels, n, sizeof *r->label));
  LAR_TRY(lar_grow((void **)&r->start, &r->starts, n, sizeof *r->start));
  LAR_TRY(lar_grow((void **)&r->index, &r->indices, m, sizeof *r->index));
  return lar_grow((void **)&r->value, &r->values, m, sizeof *r->value);
}

static lar_status pair(reader *r) {
  double j = 0, v = 0;
  bool query = r->end - r->at > 4 && memcmp(r->at, "qid:", 4) == 0;
  if (query) r->at += 4;
  if (!query && (!number(r, ':', &j) || j < 0 || j > 2147483646.0 || j != (double)(int64_t)j))
    return bad(r, "an entry is index:value, its index a whole number");
  if (!number(r, 0, &v)) return bad(r, "a value is a number");
  if (query) return LAR_OK;
  LAR_TRY(room(r));
  r->index[r->nnz] = (int64_t)j;
  r->value[r->nnz++] = v;
  if ((int64_t)j < r->lowest) r->lowest = (int64_t)j;
  if ((int64_t)j > r->highest) r->highest = (int64_t)j;
  return LAR_OK;
}

static lar_status row(reader *r) {
  double label = 0;
  if (!number(r, 0, &label)) return bad(r, "a line starts with a number");
  LAR_TRY(room(r));
  r->label[r->n] = label;
  for (skip_blanks(r); !ended(r); skip_blanks(r)) LAR_TRY(pair(r));
  r->start[++r->n] = r->nnz;
  return LAR_OK;
}

static lar_status rows(reader *r) {
  LAR_TRY(room(r));
  r->start[0] = 0;
  for (; r->at < r->end; r->at++, r->line++) {
    skip_blanks(r);
    if (!ended(r)) LAR_TRY(row(r));
    while (r->at < r->end && *r->at != '\n') r->at++;
  }
  return r->n > 0 ? LAR_OK : lar_fail(LAR_EIO, "%s: no rows", r->path);
}

/* A 1-D tensor over what the reader holds. */
static lar_status copied(lar_tensor *out, lar_dtype dtype, int64_t n, const void *from,
                         size_t size) {
  LAR_TRY(lar_tensor_init(out, dtype, 1, &n));
  memcpy(lar_tensor_data(out), from, (size_t)n * size);
  return LAR_OK;
}

/* Entries as the caller wants them: indices from 0, values of dtype. */
static lar_status entries(const reader *r, int base, lar_dtype dtype, lar_tensor *along,
                          lar_tensor *index, lar_tensor *value) {
  LAR_TRY(copied(along, LAR_I64, r->n + 1, r->start, sizeof *r->start));
  LAR_TRY(copied(index, LAR_I64, r->nnz, r->index, sizeof *r->index));
  LAR_TRY(lar_tensor_init(value, dtype, 1, &r->nnz));
  int64_t *at = lar_tensor_data(index);
  for (int64_t k = 0; k < r->nnz; k++) {
    at[k] -= base;
    lar_tensor_put(value, k, r->value[k]);
  }
  return LAR_OK;
}

static lar_status finish(const reader *r, lar_sparse **x, lar_tensor *y, lar_dtype dtype,
                         int64_t p, int base) {
  lar_tensor along = {0}, index = {0}, value = {0};
  if (base < 0) base = r->nnz > 0 && r->lowest == 0 ? 0 : 1;
  int64_t needed = r->nnz > 0 ? r->highest + 1 - base : 0;
  if (r->nnz > 0 && r->lowest < base)
    return lar_fail(LAR_EIO, "%s: index 0 where columns count from 1", r->path);
  if (p > 0 && needed > p)
    return lar_fail(LAR_EIO, "%s: index %lld is beyond the %lld columns asked for", r->path,
                    (long long)r->highest, (long long)p);
  lar_status st = entries(r, base, dtype, &along, &index, &value);
  if (st == LAR_OK)
    st = lar_sparse_from(x, r->n, p > 0 ? p : needed, &along, &index, &value, true);
  if (st == LAR_OK) st = copied(y, LAR_F64, r->n, r->label, sizeof *r->label);
  lar_tensor_clear(&along);
  lar_tensor_clear(&index);
  lar_tensor_clear(&value);
  return st;
}

lar_status lar_libsvm_read(lar_sparse **x, lar_tensor *y, const char *path, lar_dtype dtype,
                           int64_t p, int base) {
  lar_bytes b = {0};
  *x = NULL;
  *y = (lar_tensor){0};
  LAR_TRY(lar_bytes_read(&b, path));
  reader r = {.path = path,
              .at = b.data,
              .end = b.data + b.size,
              .line = 1,
              .lowest = INT64_MAX,
              .highest = -1};
  lar_status st = rows(&r);
  if (st == LAR_OK) st = finish(&r, x, y, dtype, p, base);
  if (st != LAR_OK) {
    lar_sparse_unref(*x);
    *x = NULL;
  }
  lar_free(r.label);
  lar_free(r.start);
  lar_free(r.index);
  lar_free(r.value);
  lar_bytes_clear(&b);
  return st;
}
