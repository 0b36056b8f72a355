#include "io/safetensors.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "io/bytes.h"

static const struct {
  const char *name;
  lar_dtype dtype;
} dtypes[] = {{"F32", LAR_F32}, {"F64", LAR_F64}, {"I64", LAR_I64}, {"BOOL", LAR_BOOL}};

enum { DTYPES = sizeof dtypes / sizeof *dtypes, LENGTH = 8 };

static size_t bytes_of(const lar_tensor *t) {
  return (size_t)lar_tensor_numel(t) * lar_dtype_size(t->dtype);
}

/* ---- writing ---- */

static const char *dtype_name(lar_dtype dtype) {
  for (int k = 0; k < DTYPES; k++)
    if (dtypes[k].dtype == dtype) return dtypes[k].name;
  return "";
}

/* {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]} */
static cJSON *describe(const lar_tensor *t, size_t at) {
  double ends[2] = {(double)at, (double)(at + bytes_of(t))};
  cJSON *o = cJSON_CreateObject(), *shape = cJSON_AddArrayToObject(o, "shape");
  (void)cJSON_AddStringToObject(o, "dtype", dtype_name(t->dtype));
  for (int d = 0; d < t->ndim; d++)
    (void)cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)t->shape[d]));
  (void)cJSON_AddItemToObject(o, "data_offsets", cJSON_CreateDoubleArray(ends, 2));
  return o;
}

static char *head_of(int n, const char *const *name, const lar_tensor *at, const char *key,
                     const char *text) {
  cJSON *head = cJSON_CreateObject();
  size_t place = 0;
  if (text != NULL)
    (void)cJSON_AddStringToObject(cJSON_AddObjectToObject(head, "__metadata__"), key, text);
  for (int k = 0; k < n; place += bytes_of(&at[k]), k++)
    (void)cJSON_AddItemToObject(head, name[k], describe(&at[k], place));
  char *out = cJSON_PrintUnformatted(head);
  cJSON_Delete(head);
  return out;
}

/* Length and head, filled up with blanks to a multiple of eight bytes. */
static lar_status framed(char **out, size_t *size, const char *json) {
  uint64_t length = (strlen(json) + LENGTH - 1) / LENGTH * LENGTH;
  *size = LENGTH + length;
  LAR_TRY(lar_alloc_raw((void **)out, *size, 1));
  for (int k = 0; k < LENGTH; k++) (*out)[k] = (char)(length >> 8 * k & 0xff);
  memset(*out + LENGTH, ' ', length);
  memcpy(*out + LENGTH, json, strlen(json));
  return LAR_OK;
}

lar_status lar_safetensors_save(const char *path, int n, const char *const *name,
                                const lar_tensor *at, const char *key, const char *text) {
  char *json = head_of(n, name, at, key, text), *head = NULL, *body = NULL;
  size_t nhead = 0, nbody = 0, place = 0;
  lar_status st = json != NULL ? LAR_OK : lar_fail(LAR_ENOMEM, "%s: no memory", path);
  for (int k = 0; k < n; k++) nbody += bytes_of(&at[k]);
  if (st == LAR_OK) st = framed(&head, &nhead, json);
  if (st == LAR_OK) st = lar_alloc_raw((void **)&body, nbody + 1, 1);
  for (int k = 0; k < n && st == LAR_OK; place += bytes_of(&at[k]), k++)
    if (bytes_of(&at[k]) > 0) memcpy(body + place, lar_tensor_data(&at[k]), bytes_of(&at[k]));
  if (st == LAR_OK) st = lar_bytes_save(path, head, nhead, body, nbody);
  cJSON_free(json);
  lar_free(head);
  lar_free(body);
  return st;
}

/* ---- reading ---- */

static lar_status bad(const char *path, const char *name, const char *what) {
  return lar_fail(LAR_EIO, "%s: tensor '%s' has %s", path, name, what);
}

/* A whole number from 0 to 2^53. */
static bool whole(const cJSON *v, int64_t *out) {
  if (!cJSON_IsNumber(v) || !(v->valuedouble >= 0) || v->valuedouble > 0x1p53 ||
      v->valuedouble != floor(v->valuedouble))
    return false;
  *out = (int64_t)v->valuedouble;
  return true;
}

static bool find_dtype(const cJSON *v, lar_dtype *out) {
  for (int k = 0; k < DTYPES; k++)
    if (cJSON_IsString(v) && strcmp(v->valuestring, dtypes[k].name) == 0)
      return *out = dtypes[k].dtype, true;
  return false;
}

static lar_status read_tensor(lar_tensor *out, const cJSON *e, const char *path,
                              const char *data, size_t size) {
  lar_dtype dtype;
  int64_t shape[LAR_MAX_NDIM], from, to, numel = 1;
  const cJSON *dims = cJSON_GetObjectItem(e, "shape"),
              *ends = cJSON_GetObjectItem(e, "data_offsets");
  int ndim = cJSON_GetArraySize(dims);
  if (!find_dtype(cJSON_GetObjectItem(e, "dtype"), &dtype))
    return bad(path, e->string, "a dtype other than F32, F64, I64 and BOOL");
  if (!cJSON_IsArray(dims) || ndim > LAR_MAX_NDIM) return bad(path, e->string, "a bad shape");
  for (int d = 0; d < ndim; d++)
    if (!whole(cJSON_GetArrayItem(dims, d), &shape[d]) ||
        __builtin_mul_overflow(numel, shape[d], &numel))
      return bad(path, e->string, "a bad shape");
  if (!whole(cJSON_GetArrayItem(ends, 0), &from) || !whole(cJSON_GetArrayItem(ends, 1), &to) ||
      from > to || (size_t)to > size || numel > to ||
      to - from != numel * (int64_t)lar_dtype_size(dtype))
    return bad(path, e->string, "numbers that are not where its head says");
  LAR_TRY(lar_tensor_init(out, dtype, ndim, shape));
  if (to > from) memcpy(lar_tensor_data(out), data + from, (size_t)(to - from));
  for (int64_t k = 0; dtype == LAR_BOOL && k < numel; k++)
    ((unsigned char *)lar_tensor_data(out))[k] = data[from + k] != 0;
  return LAR_OK;
}

static lar_status read_all(lar_pack *out, const cJSON *head, const char *path, const char *key,
                           const char *data, size_t size) {
  int most = cJSON_GetArraySize(head);
  LAR_TRY(lar_alloc((void **)&out->name, (size_t)most + 1, sizeof *out->name));
  LAR_TRY(lar_alloc((void **)&out->at, (size_t)most + 1, sizeof *out->at));
  for (const cJSON *e = head->child; e != NULL; e = e->next) {
    if (strcmp(e->string, "__metadata__") == 0) {
      const cJSON *text = cJSON_GetObjectItemCaseSensitive(e, key);
      if (cJSON_IsString(text) && out->text == NULL)
        LAR_TRY(lar_strdup(&out->text, text->valuestring));
      continue;
    }
    LAR_TRY(lar_strdup(&out->name[out->n], e->string));
    LAR_TRY(read_tensor(&out->at[out->n++], e, path, data, size));
  }
  return LAR_OK;
}

static lar_status read_bytes(lar_pack *out, const lar_bytes *b, const char *path,
                             const char *key) {
  uint64_t length = 0;
  for (int k = 0; k < LENGTH && b->size >= LENGTH; k++)
    length |= (uint64_t)(unsigned char)b->data[k] << 8 * k;
  if (b->size < LENGTH || length > b->size - LENGTH)
    return lar_fail(LAR_EIO, "%s: not a safetensors file, or cut off", path);
  cJSON *head = cJSON_ParseWithLength(b->data + LENGTH, (size_t)length);
  lar_status st =
    cJSON_IsObject(head)
      ? LAR_OK
      : lar_fail(LAR_EIO, "%s: not a safetensors file: its head is no JSON", path);
  const char *data = b->data + LENGTH + length;
  if (st == LAR_OK)
    st = read_all(out, head, path, key, data, b->size - LENGTH - (size_t)length);
  cJSON_Delete(head);
  return st;
}

lar_status lar_safetensors_read(lar_pack *out, const char *path, const char *key) {
  lar_bytes b = {0};
  *out = (lar_pack){0};
  LAR_TRY(lar_bytes_read(&b, path));
  lar_status st = read_bytes(out, &b, path, key);
  lar_bytes_clear(&b);
  if (st != LAR_OK) lar_pack_clear(out);
  return st;
}

void lar_pack_clear(lar_pack *p) {
  for (int k = 0; k <= p->n && p->name != NULL; k++) lar_free(p->name[k]);
  for (int k = 0; k < p->n; k++) lar_tensor_clear(&p->at[k]);
  lar_free(p->name);
  lar_free(p->at);
  lar_free(p->text);
  *p = (lar_pack){0};
}
