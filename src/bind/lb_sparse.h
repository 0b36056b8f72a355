/*
 * bind/lb_sparse - sparse matrices as Lua objects.
 *
 * Floor: bind.
 */
#ifndef LAR_BIND_LB_SPARSE_H
#define LAR_BIND_LB_SPARSE_H

#include "bind/lb.h"
#include "kern/sparse.h"

#define LB_SPARSE "lariat.sparse"

/* The matrix in the object at `arg`: raises for anything else, or returns NULL. */
lar_sparse *lb_sparse(lua_State *L, int arg);
lar_sparse *lb_sparse_test(lua_State *L, int arg);

#endif
