/* The call that makes a layer, as text: what differs from the defaults. */
#include <stdio.h>
#include <string.h>

#include "bind/lb_module.h"

static void add_value(luaL_Buffer *b, const lar_module *m, const lar_param *p) {
  char text[64], quoted[80];
  double v = lar_param_get(p, m->self);
  if (p->kind == LAR_FLAG) {
    luaL_addstring(b, v != 0 ? "true" : "false");
    return;
  }
  if (p->choices != NULL && (p->kind == LAR_CHOICE || v < 0)) {
    lar_param_choice(p, (int)(p->kind == LAR_CHOICE ? v : -1 - v), text, sizeof text);
    (void)snprintf(quoted, sizeof quoted, "\"%s\"", text);
  } else {
    (void)snprintf(quoted, sizeof quoted, "%.6g", v);
  }
  luaL_addstring(b, quoted);
}

/* Is p one of those given by position? *sizes: as one of a list of sizes. */
static bool positional(const lar_module *m, const lar_param *p, bool *sizes) {
  const char *a = m->type->args;
  size_t stem = strcspn(p->name, "0123456789");
  for (; a != NULL && *a != '\0'; a += strspn(a, " ")) {
    size_t len = strcspn(a, " *");
    *sizes = a[len] == '*';
    if (len == (*sizes ? stem : strlen(p->name)) && strncmp(a, p->name, len) == 0) return true;
    a += len + *sizes;
  }
  return *sizes = false;
}

static int count_sizes(const lar_module *m) {
  bool sizes;
  int n = 0;
  for (const lar_param *p = m->type->params; p != NULL && p->name != NULL; p++)
    n += positional(m, p, &sizes) && sizes && lar_param_get(p, m->self) != 0;
  return n;
}

static void add_positional(luaL_Buffer *b, const lar_module *m) {
  bool sizes, open = false, many = count_sizes(m) > 1;
  const char *gap = "";
  for (const lar_param *p = m->type->params; p != NULL && p->name != NULL; p++) {
    if (!positional(m, p, &sizes) || (sizes && lar_param_get(p, m->self) == 0)) continue;
    luaL_addstring(b, gap);
    if (sizes && many && !open) luaL_addchar(b, '{');
    open = sizes && many;
    add_value(b, m, p);
    gap = ", ";
  }
  if (open) luaL_addchar(b, '}');
}

/* The other of a pair that options may give as {a, b}: `stride2` of `stride`; NULL if there is
 * none or it was not given. */
static const lar_param *second_of(const lar_module *m, const lar_param *p) {
  char name[32];
  (void)snprintf(name, sizeof name, "%s2", p->name);
  const lar_param *q = lar_param_find(m->type->params, name);
  return q == NULL || lar_param_get(q, m->self) == q->init ? NULL : q;
}

static bool is_second(const lar_module *m, const lar_param *p) {
  size_t n = strlen(p->name);
  for (const lar_param *q = m->type->params; q->name != NULL; q++)
    if (strlen(q->name) == n - 1 && strncmp(q->name, p->name, n - 1) == 0)
      return p->name[n - 1] == '2';
  return false;
}

static void add_option(luaL_Buffer *b, const lar_module *m, const lar_param *p) {
  const lar_param *q = second_of(m, p);
  luaL_addstring(b, p->name);
  luaL_addstring(b, q != NULL ? " = {" : " = ");
  add_value(b, m, p);
  if (q == NULL) return;
  luaL_addstring(b, ", ");
  add_value(b, m, q);
  luaL_addchar(b, '}');
}

static void add_named(luaL_Buffer *b, const lar_module *m) {
  bool sizes, open = false;
  bool first = m->type->args == NULL || m->type->args[0] == '\0';
  for (const lar_param *p = m->type->params; p != NULL && p->name != NULL; p++) {
    bool plain = lar_param_get(p, m->self) == p->init && second_of(m, p) == NULL;
    if (positional(m, p, &sizes) || plain || is_second(m, p)) continue;
    luaL_addstring(b, open ? ", " : first ? "{" : ", {");
    add_option(b, m, p);
    open = true;
  }
  if (open) luaL_addchar(b, '}');
}

/* signature(): "linear(784, 300, {bias = false})"; options at their defaults are left out. */
int lb_module_signature(lua_State *L) {
  const lar_module *m = lb_module(L, 1);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, lar_module_name(m));
  luaL_addchar(&b, '(');
  add_positional(&b, m);
  add_named(&b, m);
  luaL_addchar(&b, ')');
  luaL_pushresult(&b);
  return 1;
}
