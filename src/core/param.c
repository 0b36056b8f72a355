#include "core/param.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const lar_param *lar_param_find(const lar_param *schema, const char *name) {
  if (schema == NULL) return NULL;
  for (; schema->name; schema++)
    if (strcmp(schema->name, name) == 0) return schema;
  return NULL;
}

void lar_param_default(const lar_param *schema, void *self) {
  if (schema == NULL) return;
  for (; schema->name; schema++)
    memcpy((char *)self + schema->at, &schema->init, sizeof(double));
}

double lar_param_get(const lar_param *p, const void *self) {
  double v;
  memcpy(&v, (const char *)self + p->at, sizeof v);
  return v;
}

static lar_status unknown(const lar_param *schema, const char *owner, const char *name) {
  const char *known[32];
  size_t n = 0;
  for (; schema != NULL && schema->name != NULL && n < 32; schema++) known[n++] = schema->name;
  return lar_param_unknown(owner, name, known, n);
}

static lar_status outside(const lar_param *p, const char *owner, double v) {
  double whole = floor(p->lo);
  bool open_lo = p->lo == nextafter(whole, HUGE_VAL);
  bool open_hi = p->hi == LAR_BELOW1 || p->hi == HUGE_VAL;
  return lar_fail(LAR_EARG, "%s: %s = %g is outside %c%g, %g%c", owner, p->name,
                  isnan(v) ? fabs(v) : v, open_lo || p->lo == -HUGE_VAL ? '(' : '[',
                  open_lo ? whole : p->lo, p->hi == LAR_BELOW1 ? 1.0 : p->hi,
                  open_hi ? ')' : ']');
}

lar_status lar_param_set(const lar_param *schema, void *self, const char *owner,
                         const char *name, double v) {
  const lar_param *p = lar_param_find(schema, name);
  if (p == NULL) return unknown(schema, owner, name);
  if (p->kind == LAR_CHOICE)
    return lar_fail(LAR_EARG, "%s: %s = %g must be one of %s", owner, name, v, p->choices);
  if (!(v >= p->lo && v <= p->hi)) return outside(p, owner, v);
  if (p->kind == LAR_INTEGER && v != floor(v))
    return lar_fail(LAR_EARG, "%s: %s = %g must be a whole number", owner, name, v);
  memcpy((char *)self + p->at, &v, sizeof v);
  return LAR_OK;
}

void lar_param_choice(const lar_param *p, int k, char *buf, size_t size) {
  const char *s = p->choices;
  for (; k > 0 && s != NULL; k--) {
    s = strchr(s, '|');
    if (s != NULL) s++;
  }
  (void)snprintf(buf, size, "%.*s", s != NULL ? (int)strcspn(s, "|") : 0, s != NULL ? s : "");
}

lar_status lar_param_set_text(const lar_param *schema, void *self, const char *owner,
                              const char *name, const char *text) {
  const lar_param *p = lar_param_find(schema, name);
  if (p == NULL) return unknown(schema, owner, name);
  if (p->choices == NULL)
    return lar_fail(LAR_EARG, "%s: %s = '%s' must be a number", owner, name, text);
  const char *s = p->choices;
  for (double k = 0; s != NULL; k++) {
    size_t n = strcspn(s, "|");
    if (strlen(text) == n && strncmp(s, text, n) == 0) {
      double v = p->kind == LAR_CHOICE ? k : -1 - k;
      memcpy((char *)self + p->at, &v, sizeof v);
      return LAR_OK;
    }
    s = s[n] == '|' ? s + n + 1 : NULL;
  }
  return lar_fail(LAR_EARG, "%s: %s = '%s' must be %sone of %s", owner, name, text,
                  p->kind == LAR_CHOICE ? "" : "a number or ", p->choices);
}

int lar_edit_distance(const char *a, const char *b) {
  enum { MAX = 63 };
  int row[MAX + 1];
  int n = (int)strnlen(b, MAX), m = (int)strnlen(a, MAX);
  for (int j = 0; j <= n; j++) row[j] = j;
  for (int i = 1; i <= m; i++) {
    int diagonal = row[0];
    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int best = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      row[j] = best;
    }
  }
  return row[n];
}

lar_status lar_param_unknown(const char *owner, const char *name, const char *const *known,
                             size_t n) {
  const char *best = NULL;
  int least = 1000;
  for (size_t i = 0; i < n; i++) {
    int d = lar_edit_distance(name, known[i]);
    if (d < least) least = d, best = known[i];
  }
  if (best == NULL)
    return lar_fail(LAR_EARG, "%s: unknown key '%s'; it takes none", owner, name);
  return lar_fail(LAR_EARG, "%s: unknown key '%s'; did you mean '%s'?", owner, name, best);
}
