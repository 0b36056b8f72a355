/*
 * bind/lb_family - losses of linear predictors by name.
 *
 * Floor: bind.
 */
#ifndef LAR_BIND_LB_FAMILY_H
#define LAR_BIND_LB_FAMILY_H

#include "bind/lb.h"
#include "family/family.h"

/* The family of that name; raises where there is none, naming the nearest. */
const lar_family *lb_family(lua_State *L, const char *name);

#endif
