#include "main/repl.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "main/edit.h"
#include "main/run.h"

/* Push the prompt: _PROMPT and _PROMPT2 if the user set them. */
static const char *push_prompt(lua_State *L, int first) {
  if (lua_getglobal(L, first ? "_PROMPT" : "_PROMPT2") == LUA_TNIL)
    return lua_pushstring(L, first ? "> " : ">> ");
  return luaL_tolstring(L, -1, NULL);
}

/* Push one line, without its newline. On anything but a line nothing is pushed. */
static enum lm_edit read_line(lua_State *L, int first) {
  int top = lua_gettop(L);
  const char *prompt = push_prompt(L, first);
  enum lm_edit got = lm_edit_line(L, prompt);
  if (got == LM_EDIT_LINE) {
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
  } else {
    lua_settop(L, top);
  }
  return got;
}

static int load_string(lua_State *L, int at) {
  size_t size;
  const char *s = lua_tolstring(L, at, &size);
  return luaL_loadbuffer(L, s, size, "=stdin");
}

/* Try the line at the top as an expression: its function replaces nothing, it goes above. */
static int load_expression(lua_State *L) {
  const char *line = lua_tostring(L, -1);
  if (line[0] == '=') line++;
  lua_pushfstring(L, "return %s", line);
  int status = load_string(L, -1);
  lua_remove(L, -2);
  if (status != LUA_OK) lua_pop(L, 1);
  return status;
}

/* The error on the top says that the chunk ended too early. */
static int incomplete(lua_State *L, int status) {
  static const char mark[] = "<eof>";
  size_t size, n = sizeof mark - 1;
  if (status != LUA_ERRSYNTAX) return 0;
  const char *message = lua_tolstring(L, -1, &size);
  return size >= n && strcmp(message + size - n, mark) == 0;
}

/* Load the line at stack 1 as a statement, reading on while it is incomplete. */
static enum lm_edit load_statement(lua_State *L, int *status) {
  for (;;) {
    *status = load_string(L, 1);
    if (!incomplete(L, *status)) return LM_EDIT_LINE;
    enum lm_edit got = read_line(L, 0);
    if (got == LM_EDIT_END) return LM_EDIT_LINE; /* let the syntax error be seen */
    if (got == LM_EDIT_CANCEL) return got;
    lua_remove(L, -2); /* the error */
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
}

/* Leave on the stack one function, or one error. */
static enum lm_edit read_chunk(lua_State *L, int *status) {
  lua_settop(L, 0);
  enum lm_edit got = read_line(L, 1);
  if (got != LM_EDIT_LINE) return got;
  *status = load_expression(L);
  if (*status != LUA_OK) got = load_statement(L, status);
  lua_remove(L, 1);
  return got;
}

static void print_results(lua_State *L) {
  int n = lua_gettop(L);
  if (n == 0) return;
  luaL_checkstack(L, LUA_MINSTACK, "too many results to print");
  lua_getglobal(L, "print");
  lua_insert(L, 1);
  if (lm_call(L, n, 0) != LUA_OK)
    lm_message(lm_name, lua_pushfstring(L, "error calling 'print' (%s)", lua_tostring(L, -1)));
}

void lm_repl(lua_State *L) {
  enum lm_edit got;
  int status = LUA_OK;
  lm_edit_open();
  lm_interactive = 1;
  while ((got = read_chunk(L, &status)) != LM_EDIT_END) {
    if (got == LM_EDIT_CANCEL) continue;
    if (status == LUA_OK) status = lm_call(L, 0, LUA_MULTRET);
    if (status == LUA_OK)
      print_results(L);
    else
      lm_report(L, status);
  }
  lua_settop(L, 0);
  lm_edit_close();
  lm_interactive = 0;
  printf("\n");
  fflush(stdout);
}
