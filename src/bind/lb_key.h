/*
 * bind/lb_key - what a Lua function may depend on beside tensors, as bytes to compare.
 *
 * Floor:    bind.
 * Contract: the numbers, strings and booleans that a function reaches by its upvalues, the
 *           globals that its code names, and the tables, metatables and functions in them;
 *           modules with their settings. Where there is more of this than can be looked
 *           through at every step, the key is `partial`. Two equal keys do not prove that a
 *           function does the same, but a function that counts, or reads a setting that has
 *           changed, shows in its key. Of Lua code only the __index of an environment is run.
 */
#ifndef LAR_BIND_LB_KEY_H
#define LAR_BIND_LB_KEY_H

#include "bind/lb.h"
#include "train/steps.h"

enum { LB_COUNTERS = 8, LB_NUMBERS = 64 };

/* Places of numbers that a function changes itself while it runs, as one does that counts its
 * calls. They are found by a look before a call and one after it, and left out of keys. */
typedef struct lb_counters {
  enum { LB_KNOWN, LB_BEFORE, LB_AFTER } phase;
  int n, nseen;
  uint64_t place[LB_COUNTERS], seen[LB_NUMBERS];
  lua_Number was[LB_NUMBERS];
} lb_counters;

/* Add the value at `index`. Never raises but for want of memory. */
void lb_key_value(lua_State *L, int index, lar_key *k);

/* The same; in the phases `before` and `after` the counters learn, and the key is no good. */
void lb_key_function(lua_State *L, int index, lar_key *k, lb_counters *c);

/* Add the Lua side of a module that has one, and of its children. */
void lb_key_module(lua_State *L, lar_module *m, lar_key *k);

/* Push the table at `key` of the registry, whose own keys are weak; a new one at first. */
void lb_weak_table(lua_State *L, const void *key);

/* Push a list of the names in the code of the Lua function at `index`: its globals are among
 * them. Replace the name on top by its value in the environment at `env`. */
void lb_global_names(lua_State *L, int index);
void lb_global(lua_State *L, int env);

/* Push a list of a plan's kernels: name, shape, bytes, seconds, runs; and bytes, of buffers. */
void lb_plan_kernels(lua_State *L, const lar_plan *p);

#endif
