/*
 * bind/baked - the Lua library and its data files, carried inside the program.
 *
 * Floor:    bind.
 * Owns:     the table of baked files and the package searcher for `lariat` and `lariat.*`.
 * Contract: with LARIAT_LUA=dir in the environment every file is read below that folder
 *           instead; the folder is the one that holds lariat/init.lua.
 */
#ifndef LAR_BIND_BAKED_H
#define LAR_BIND_BAKED_H

#include <stddef.h>

/* A file below lua/, "lariat/nn.lua". Its bytes are [begin, end), followed by a zero. */
struct lb_baked {
  const char *name, *begin, *end;
};

/* Written by make; the last one has no name. */
extern const struct lb_baked lb_baked_files[];

struct lua_State;

/* Install the searcher, and lariat.core as a preloaded module. Does nothing the second time. */
void lb_baked_open(struct lua_State *L);

/* A lua_CFunction: path -> the bytes of that file, or nil. */
int lb_baked_read(struct lua_State *L);

#endif
