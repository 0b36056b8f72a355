#include "io/idx.h"

#include "io/bytes.h"
#include "io/raw.h"

/* The type byte and how numbers of that type are written. */
static const struct kind {
  int code;
  lar_raw raw;
} kinds[] = {
  {0x08, {'u', 1, true}}, {0x09, {'i', 1, true}}, {0x0b, {'i', 2, true}},
  {0x0c, {'i', 4, true}}, {0x0d, {'f', 4, true}}, {0x0e, {'f', 8, true}},
};

static int64_t word(const uint8_t *p) {
  return (int64_t)p[0] << 24 | (int64_t)p[1] << 16 | (int64_t)p[2] << 8 | p[3];
}

/* The head of the file: type, sizes, and where the numbers start. */
static lar_status head(const lar_bytes *b, const char *path, lar_raw *raw, int *ndim,
                       int64_t *shape, size_t *at) {
  const uint8_t *p = (const uint8_t *)b->data;
  if (b->size < 4 || p[0] != 0 || p[1] != 0)
    return lar_fail(LAR_EIO, "%s: not an IDX file: it does not start with two zero bytes",
                    path);
  size_t k = 0, n = sizeof kinds / sizeof *kinds;
  while (k < n && kinds[k].code != p[2]) k++;
  if (k == n) return lar_fail(LAR_EIO, "%s: IDX type 0x%02x is not known", path, p[2]);
  *raw = kinds[k].raw;
  *ndim = p[3];
  *at = 4 + 4 * (size_t)*ndim;
  if (*ndim > LAR_MAX_NDIM)
    return lar_fail(LAR_EIO, "%s: %d dimensions; a tensor has at most %d", path, *ndim,
                    LAR_MAX_NDIM);
  if (b->size < *at) return lar_fail(LAR_EIO, "%s: ends within its head", path);
  for (int d = 0; d < *ndim; d++) shape[d] = word(p + 4 + 4 * (size_t)d);
  return LAR_OK;
}

static lar_status decode(lar_tensor *out, const lar_bytes *b, const char *path, lar_dtype dtype,
                         lar_dtype otherwise) {
  lar_raw raw = {0};
  int ndim = 0;
  int64_t shape[LAR_MAX_NDIM], n = 1;
  size_t at = 0;
  LAR_TRY(head(b, path, &raw, &ndim, shape, &at));
  int64_t have = (int64_t)(b->size - at) / raw.size;
  for (int d = 0; d < ndim; d++)
    if (__builtin_mul_overflow(n, shape[d], &n)) n = INT64_MAX / 16;
  if (n != have || (b->size - at) % (size_t)raw.size != 0)
    return lar_fail(LAR_EIO, "%s: holds %lld numbers where its shape %s asks for %lld", path,
                    (long long)have, lar_shape_text(ndim, shape), (long long)n);
  if (dtype == LAR_NDTYPE)
    dtype = raw.type == 'f' || ndim == 1 ? lar_raw_dtype(raw) : otherwise;
  LAR_TRY(lar_tensor_init(out, dtype, ndim, shape));
  lar_raw_read(out, raw, b->data + at);
  return LAR_OK;
}

lar_status lar_idx_read(lar_tensor *out, const char *path, lar_dtype dtype,
                        lar_dtype otherwise) {
  lar_bytes b;
  *out = (lar_tensor){0};
  LAR_TRY(lar_bytes_read(&b, path));
  lar_status st = decode(out, &b, path, dtype, otherwise);
  lar_bytes_clear(&b);
  return st;
}
