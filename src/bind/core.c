/* The module lariat.core: everything in C that Lua can see. */
#include "bind/lb.h"
#include "bind/lb_optim.h"

__attribute__((visibility("default"))) int luaopen_lariat_core(lua_State *L);
int luaopen_lariat_core(lua_State *L) {
  lua_newtable(L);
  lb_open_tensor(L);
  lb_open_create(L);
  lb_open_grad(L);
  lb_open_nn(L);
  lb_open_loss(L);
  lb_open_penalty(L);
  lb_open_optim(L);
  lb_open_system(L);
  lb_open_io(L);
  lb_open_train(L);
  lb_open_plan(L);
  lb_open_sparse(L);
  lb_open_pack(L);
  lb_open_family(L);
  lb_open_glm(L);
  return 1;
}
