/*
 * main/run - protected calls with tracebacks and Ctrl-C, and how the program speaks.
 *
 * Floor:    main.
 * Contract: Ctrl-C during lm_call sets the engine's flag and a hook that raises
 *           "interrupted!", but not in what the engine calls while it holds interrupts.
 *           Whichever is served first takes the request off; a second Ctrl-C while the
 *           first is still unserved ends the program.
 */
#ifndef LAR_MAIN_RUN_H
#define LAR_MAIN_RUN_H

#include <lua.h>

/* "lariat 0.1.0 (Lua 5.4.4)", on standard output. */
void lm_version(void);

/* "lariat: message" on standard error; without `who` the message alone. */
void lm_message(const char *who, const char *message);

/* Print and pop the error that a status other than LUA_OK left on the stack. */
int lm_report(lua_State *L, int status);

/* Call the function below its `narg` arguments; errors carry a traceback. */
int lm_call(lua_State *L, int narg, int nres);

extern const char lm_name[];

/* True in the REPL: what Ctrl-C writes on the terminal gets a line of its own. */
extern int lm_interactive;

#endif
