/* What there is of families and solvers, and what a family predicts. */
#include <string.h>

#include "bind/lb_family.h"
#include "solver/solver.h"

const lar_family *lb_family(lua_State *L, const char *name) {
  const lar_family *found = lar_family_find(name);
  const char *known[32];
  size_t n = 0;
  if (found != NULL) return found;
  for (const lar_family *const *f = lar_families; *f != NULL && n < 32; f++)
    known[n++] = (*f)->name;
  lb_check(L, lar_param_unknown("glm: family", name, known, n));
  return NULL;
}

/* glm_response(family, k, eta): eta (k, n) contiguous float64 -> what it predicts, alike */
static int glm_response(lua_State *L) {
  const lar_family *family = lb_family(L, luaL_checkstring(L, 1));
  int64_t k = luaL_checkinteger(L, 2);
  const lar_var *eta = lb_tensor(L, 3);
  int64_t n = lar_tensor_numel(&eta->t) / (k > 0 ? k : 1);
  if (k < 1 || n * k != lar_tensor_numel(&eta->t) || eta->t.dtype != LAR_F64 ||
      !lar_tensor_is_contiguous(&eta->t))
    return luaL_error(L, "glm: predictors must be contiguous, float64 (%I, n), not %s %s",
                      (LUAI_UACINT)k, lar_dtype_name(eta->t.dtype), lar_tensor_text(&eta->t));
  lar_var **out = lb_tensor_new(L);
  lb_check(L, lar_var_init(out, LAR_F64, eta->t.ndim, eta->t.shape));
  void *self = lua_newuserdatauv(L, family->size + 1, 0);
  if (family->params != NULL) lar_param_default(family->params, self);
  lua_insert(L, -2);
  if (family->response != NULL)
    family->response(self, n, k, lar_tensor_data(&eta->t), lar_tensor_data(&(*out)->t));
  else
    memcpy(lar_tensor_data(&(*out)->t), lar_tensor_data(&eta->t),
           (size_t)(n * k) * sizeof(double));
  return 1;
}

static void push_info(lua_State *L, const char *name, const char *doc, const char *source) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, doc);
  lua_setfield(L, -2, "doc");
  lua_pushstring(L, source);
  lua_setfield(L, -2, "source");
}

/* glm_families() -> a list of {name, doc, source}; glm_solvers() likewise */
static int glm_families(lua_State *L) {
  lua_newtable(L);
  for (int k = 0; lar_families[k] != NULL; k++) {
    push_info(L, lar_families[k]->name, lar_families[k]->doc, lar_families[k]->source);
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static int glm_solvers(lua_State *L) {
  lua_newtable(L);
  for (int k = 0; lar_solvers[k] != NULL; k++) {
    push_info(L, lar_solvers[k]->name, lar_solvers[k]->doc, lar_solvers[k]->source);
    lua_rawseti(L, -2, k + 1);
  }
  return 1;
}

static const luaL_Reg lib[] = {
  {"glm_response", glm_response},
  {"glm_families", glm_families},
  {"glm_solvers", glm_solvers},
  {NULL, NULL},
};

void lb_open_family(lua_State *L) { luaL_setfuncs(L, lib, 0); }
