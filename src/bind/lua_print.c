/* tostring of a tensor: aligned values, the middle left out when long, then dtype and shape. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bind/lb.h"

enum { EDGE = 3, LONG = 10, CELL = 32 };

typedef struct style {
  const lar_tensor *t;
  bool exponent, whole;
  int digits, width;
} style;

static int cell(const style *s, int64_t at, char *buf) {
  double v = lar_tensor_get(s->t, at);
  if (s->t->dtype == LAR_BOOL) return snprintf(buf, CELL, "%s", v != 0 ? "true" : "false");
  if (s->t->dtype == LAR_I64)
    return snprintf(buf, CELL, "%lld", (long long)((const int64_t *)lar_tensor_data(s->t))[at]);
  if (isnan(v)) return snprintf(buf, CELL, "nan");
  if (isinf(v)) return snprintf(buf, CELL, v > 0 ? "inf" : "-inf");
  if (s->exponent) return snprintf(buf, CELL, "%.4e", v);
  return snprintf(buf, CELL, "%.*f", s->whole ? 0 : 4, v);
}

/* Call `see` for each element that will be shown. */
static void shown(style *s, int d, int64_t offset, void (*see)(style *, int64_t)) {
  if (d == s->t->ndim) {
    see(s, offset);
    return;
  }
  for (int64_t k = 0; k < s->t->shape[d]; k++) {
    if (s->t->shape[d] > LONG && k == EDGE) k = s->t->shape[d] - EDGE;
    shown(s, d + 1, offset + k * s->t->stride[d], see);
  }
}

static void see_range(style *s, int64_t at) {
  double v = fabs(lar_tensor_get(s->t, at));
  if (!isfinite(v)) return;
  if (v != floor(v)) s->whole = false;
  if (v >= 1e6 || (v != 0 && v < 1e-4)) s->exponent = true;
}

static void see_width(style *s, int64_t at) {
  char buf[CELL];
  int n = cell(s, at, buf);
  if (n > s->width) s->width = n;
}

static void pad(luaL_Buffer *b, int n) {
  for (; n > 0; n--) luaL_addchar(b, ' ');
}

static void write(luaL_Buffer *b, const style *s, int d, int64_t offset, int indent) {
  char buf[CELL];
  const lar_tensor *t = s->t;
  if (d == t->ndim) {
    int n = cell(s, offset, buf);
    pad(b, s->width - n);
    luaL_addlstring(b, buf, (size_t)n);
    return;
  }
  bool inner = d == t->ndim - 1;
  luaL_addchar(b, '[');
  for (int64_t k = 0; k < t->shape[d]; k++) {
    if (k > 0 && inner) luaL_addstring(b, ", ");
    if (k > 0 && !inner) {
      luaL_addstring(b, d == t->ndim - 2 ? ",\n" : ",\n\n");
      pad(b, indent + 1);
    }
    if (t->shape[d] > LONG && k == EDGE) {
      luaL_addstring(b, "...");
      k = t->shape[d] - EDGE - 1;
      continue;
    }
    write(b, s, d + 1, offset + k * t->stride[d], indent + 1);
  }
  luaL_addchar(b, ']');
}

int lb_tensor_tostring(lua_State *L) {
  lar_var **p = lb_tensor_box(L, 1);
  if (p == NULL) return luaL_typeerror(L, 1, "tensor");
  if (*p == NULL) return lua_pushliteral(L, "closed tensor"), 1;
  const lar_tensor *t = &(*p)->t;
  style s = {.t = t, .whole = true};
  if (lar_dtype_is_float(t->dtype)) shown(&s, 0, 0, see_range);
  if (s.exponent && s.whole) { /* large whole numbers read better as they are, up to a point */
    s.exponent = false;
    shown(&s, 0, 0, see_width);
    if (s.width > 16) s.exponent = true;
    s.width = 0;
  }
  shown(&s, 0, 0, see_width);
  if (t->ndim == 0) s.width = 0;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  write(&b, &s, 0, 0, 0);
  luaL_addstring(&b, t->ndim > 1 ? "\n" : "  ");
  luaL_addstring(&b, lar_dtype_name(t->dtype));
  luaL_addchar(&b, ' ');
  luaL_addstring(&b, lar_tensor_text(t));
  if ((*p)->requires_grad)
    luaL_addstring(&b, (*p)->maker != NULL ? " with history" : " requires_grad");
  luaL_pushresult(&b);
  return 1;
}
