/*
 * bind/lb_module - what the parts of the module class share.
 *
 * Floor: bind. An object is a pointer to a module, with the objects it keeps alive and, for
 * layers written in Lua, their fields as user values.
 */
#ifndef LAR_BIND_LB_MODULE_H
#define LAR_BIND_LB_MODULE_H

#include "bind/lb_model.h"

enum { LB_MODULE_FIELDS = 2 }; /* the user value after what lb_anchor keeps; the last */

/* Push a new object, empty. */
lar_module **lb_module_object(lua_State *L);

/* From now on, pushing the module in the object on top gives that object. */
void lb_module_enter(lua_State *L, lar_module *m);

/* Push the object of child k of m, whose own object at `parent` keeps it. */
void lb_module_child(lua_State *L, int parent, lar_module *m, int k);

int lb_module_make(lua_State *L);      /* layer(sizes, ..., options); upvalue 1: the layer */
int lb_module_of_lua(lua_State *L);    /* module(title, slots, children, fields) */
int lb_module_signature(lua_State *L); /* module:signature() */

#endif
