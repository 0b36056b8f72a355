/*
 * main/repl - read, evaluate, print.
 *
 * Floor:    main.
 */
#ifndef LAR_MAIN_REPL_H
#define LAR_MAIN_REPL_H

#include <lua.h>

/* Runs until the end of the input. */
void lm_repl(lua_State *L);

#endif
