#include "io/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/bytes.h"
#include "io/raw.h"
#include "kern/copy.h"

enum { MAGIC = 8, HEAD = 512 };

/* What the head says. */
typedef struct head {
  lar_raw raw;
  bool fortran;
  int ndim;
  int64_t shape[LAR_MAX_NDIM];
  size_t data; /* where the numbers start */
} head;

/* ---- reading ---- */

static const char *past_blanks(const char *p) {
  while (*p == ' ' || *p == '\t' || *p == '\n') p++;
  return p;
}

/* The value of a key of the dictionary. */
static const char *value_of(const char *text, const char *key) {
  const char *p = strstr(text, key);
  if (p == NULL) return NULL;
  p = past_blanks(p + strlen(key));
  return *p == ':' ? past_blanks(p + 1) : NULL;
}

/* '<f4' */
static bool read_descr(const char *p, lar_raw *r) {
  if (p == NULL || (*p != '\'' && *p != '"') || strchr("<>|=", p[1]) == NULL || p[1] == 0)
    return false;
  r->big = p[1] == '>';
  r->type = p[2];
  r->size = p[3] - '0';
  if (p[4] != *p) return false;
  switch (r->type) {
  case 'f': return r->size == 2 || r->size == 4 || r->size == 8;
  case 'b': return r->size == 1;
  case 'i':
  case 'u': return r->size == 1 || r->size == 2 || r->size == 4 || r->size == 8;
  default: return false;
  }
}

/* (3, 4) */
static bool read_shape(const char *p, head *h) {
  if (p == NULL || *p != '(') return false;
  for (p = past_blanks(p + 1); *p >= '0' && *p <= '9'; p = past_blanks(p)) {
    char *end;
    if (h->ndim == LAR_MAX_NDIM) return false;
    h->shape[h->ndim++] = strtoll(p, &end, 10);
    p = past_blanks(end);
    if (*p == ',') p++;
  }
  return *p == ')';
}

static lar_status read_head(const lar_bytes *b, const char *path, head *h) {
  const uint8_t *u = (const uint8_t *)b->data;
  if (b->size < MAGIC + 4 || memcmp(b->data, "\x93NUMPY", 6) != 0)
    return lar_fail(LAR_EIO, "%s: not a .npy file", path);
  size_t size = (size_t)u[8] | (size_t)u[9] << 8, from = MAGIC + 2;
  if (u[6] > 1) size |= (size_t)u[10] << 16 | (size_t)u[11] << 24, from = MAGIC + 4;
  h->data = from + size;
  if (h->data > b->size) return lar_fail(LAR_EIO, "%s: ends within its head", path);
  char text[HEAD];
  size_t shown = size < sizeof text - 1 ? size : sizeof text - 1;
  memcpy(text, b->data + from, shown);
  text[shown] = 0;
  const char *order = value_of(text, "'fortran_order'");
  if (!read_descr(value_of(text, "'descr'"), &h->raw) || order == NULL ||
      !read_shape(value_of(text, "'shape'"), h))
    return lar_fail(LAR_EIO, "%s: this kind of array is not read here: %.*s", path,
                    (int)strcspn(text, "\n"), text);
  h->fortran = strncmp(order, "True", 4) == 0;
  return LAR_OK;
}

static lar_status check_size(const lar_bytes *b, const char *path, const head *h) {
  int64_t n = 1, have = (int64_t)(b->size - h->data) / h->raw.size;
  for (int d = 0; d < h->ndim; d++)
    if (__builtin_mul_overflow(n, h->shape[d], &n)) n = INT64_MAX / 16;
  if (n <= have) return LAR_OK;
  return lar_fail(LAR_EIO, "%s: holds %lld numbers where its shape %s asks for %lld", path,
                  (long long)have, lar_shape_text(h->ndim, h->shape), (long long)n);
}

/* Numbers in Fortran order are those of the array with its dimensions the other way round. */
static void turn(lar_tensor *t) {
  lar_tensor from = *t;
  for (int d = 0; d < t->ndim; d++) {
    t->shape[d] = from.shape[t->ndim - 1 - d];
    t->stride[d] = from.stride[t->ndim - 1 - d];
  }
}

static lar_status decode(lar_tensor *out, const lar_bytes *b, const char *path,
                         lar_dtype dtype) {
  head h = {0};
  int64_t shape[LAR_MAX_NDIM];
  LAR_TRY(read_head(b, path, &h));
  LAR_TRY(check_size(b, path, &h));
  for (int d = 0; d < h.ndim; d++) shape[d] = h.shape[h.fortran ? h.ndim - 1 - d : d];
  LAR_TRY(
    lar_tensor_init(out, dtype == LAR_NDTYPE ? lar_raw_dtype(h.raw) : dtype, h.ndim, shape));
  lar_raw_read(out, h.raw, b->data + h.data);
  if (h.fortran) turn(out);
  return LAR_OK;
}

lar_status lar_npy_read(lar_tensor *out, const char *path, lar_dtype dtype) {
  lar_bytes b;
  *out = (lar_tensor){0};
  LAR_TRY(lar_bytes_read(&b, path));
  lar_status st = decode(out, &b, path, dtype);
  lar_bytes_clear(&b);
  if (st != LAR_OK) lar_tensor_clear(out);
  return st;
}

/* ---- writing ---- */

static const char *const descr[LAR_NDTYPE] = {"<f4", "<f8", "<i8", "|b1"};

/* Magic, version 1.0, and the dictionary, filled up so that the numbers are aligned. */
static size_t write_head(char *to, const lar_tensor *t) {
  char shape[HEAD / 2];
  int at = snprintf(shape, sizeof shape, "(");
  for (int d = 0; d < t->ndim; d++)
    at += snprintf(shape + at, sizeof shape - (size_t)at, d > 0 ? " %lld," : "%lld,",
                   (long long)t->shape[d]);
  if (t->ndim > 1) at--; /* (3, 4) but (3,) */
  (void)snprintf(shape + at, sizeof shape - (size_t)at, ")");
  size_t n = MAGIC + 2;
  n +=
    (size_t)snprintf(to + n, HEAD - n, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }",
                     descr[t->dtype], shape);
  while ((n + 1) % 64 != 0) to[n++] = ' ';
  to[n++] = '\n';
  memcpy(to, "\x93NUMPY\x01", 8); /* and a zero: version 1.0 */
  to[8] = (char)((n - MAGIC - 2) & 255);
  to[9] = (char)((n - MAGIC - 2) >> 8);
  return n;
}

lar_status lar_npy_save(const char *path, const lar_tensor *t) {
  lar_tensor plain = {0};
  char text[HEAD];
  LAR_TRY(lar_contiguous(&plain, t, t->dtype));
  size_t head_size = write_head(text, &plain);
  size_t size = (size_t)lar_tensor_numel(&plain) * lar_dtype_size(plain.dtype);
  lar_status st = lar_bytes_save(path, text, head_size, lar_tensor_data(&plain), size);
  lar_tensor_clear(&plain);
  return st;
}
