/*
 * main/main - the program: `lariat [options] [script [args]]`, option for option what lua does.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/baked.h"
#include "main/repl.h"
#include "main/run.h"

/* What the options ask for. */
enum { WRONG = 1, INTERACTIVE = 2, VERSION = 4, EXECUTE = 8, NO_ENVIRONMENT = 16 };

static const char usage[] = //
  "usage: lariat [options] [script [args]]\n"
  "Available options are:\n"
  "  -e stat   execute string 'stat'\n"
  "  -i        enter interactive mode after executing 'script'\n"
  "  -l mod    require library 'mod' into global 'mod'\n"
  "  -l g=mod  require library 'mod' into global 'g'\n"
  "  -v        show version information\n"
  "  -E        ignore environment variables\n"
  "  -W        turn warnings on\n"
  "  --        stop handling options\n"
  "  -         stop handling options and execute stdin";

static void complain(const char *option) {
  if (option[1] == 'e' || option[1] == 'l')
    fprintf(stderr, "%s: '%s' needs argument\n", lm_name, option);
  else
    fprintf(stderr, "%s: unrecognized option '%s'\n", lm_name, option);
  lm_message(NULL, usage);
}

/* What one option asks for; WRONG if it is none. */
static int meaning(const char *option) {
  int means;
  switch (option[1]) {
  case 'e': return EXECUTE;
  case 'l': return 0;
  case 'E': means = NO_ENVIRONMENT; break;
  case 'i': means = INTERACTIVE | VERSION; break;
  case 'v': means = VERSION; break;
  case 'W': means = 0; break;
  default: return WRONG;
  }
  return option[2] ? WRONG : means;
}

/* Read the options; `first` becomes the index of the script, or of what is wrong. */
static int read_options(char **argv, int *first) {
  int asked = 0, i;
  for (i = 1; argv[i]; i++) {
    const char *a = argv[i];
    *first = i;
    if (a[0] != '-' || a[1] == '\0') return asked;
    if (strcmp(a, "--") == 0) {
      *first = i + 1;
      return asked;
    }
    int means = meaning(a);
    if (means == WRONG) return WRONG;
    asked |= means;
    if ((a[1] == 'e' || a[1] == 'l') && a[2] == '\0') {
      i++;
      if (!argv[i] || argv[i][0] == '-') return WRONG;
    }
  }
  *first = i;
  return asked;
}

/* `arg`: the script is arg[0], what precedes it has negative indices. */
static void make_arg(lua_State *L, char **argv, int argc, int script) {
  if (script == argc) script = 0;
  lua_createtable(L, argc - script - 1, script + 1);
  for (int i = 0; i < argc; i++) {
    lua_pushstring(L, argv[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
}

static int run_chunk(lua_State *L, int status) {
  if (status == LUA_OK) status = lm_call(L, 0, 0);
  return lm_report(L, status);
}

static int run_file(lua_State *L, const char *name) {
  return run_chunk(L, luaL_loadfile(L, name));
}

static int run_string(lua_State *L, const char *s, const char *name) {
  return run_chunk(L, luaL_loadbuffer(L, s, strlen(s), name));
}

/* -l mod, -l g=mod */
static int run_library(lua_State *L, char *global) {
  char *module = strchr(global, '=');
  if (module)
    *module++ = '\0';
  else
    module = global;
  lua_getglobal(L, "require");
  lua_pushstring(L, module);
  int status = lm_call(L, 1, 1);
  if (status == LUA_OK) lua_setglobal(L, global);
  return lm_report(L, status);
}

static int run_options(lua_State *L, char **argv, int n) {
  for (int i = 1; i < n; i++) {
    char option = argv[i][1];
    if (option == 'W') lua_warning(L, "@on", 0);
    if (option != 'e' && option != 'l') continue;
    char *value = argv[i] + 2;
    if (*value == '\0') value = argv[++i];
    int status =
      option == 'e' ? run_string(L, value, "=(command line)") : run_library(L, value);
    if (status != LUA_OK) return status;
  }
  return LUA_OK;
}

static int push_args(lua_State *L) {
  if (lua_getglobal(L, "arg") != LUA_TTABLE) luaL_error(L, "'arg' is not a table");
  int n = (int)luaL_len(L, -1);
  luaL_checkstack(L, n + 3, "too many arguments to script");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, -i, i);
  lua_remove(L, -n - 1);
  return n;
}

static int run_script(lua_State *L, char **argv) {
  const char *name = argv[0];
  if (strcmp(name, "-") == 0 && strcmp(argv[-1], "--") != 0) name = NULL;
  int status = luaL_loadfile(L, name);
  if (status == LUA_OK) {
    int n = push_args(L);
    status = lm_call(L, n, LUA_MULTRET);
  }
  return lm_report(L, status);
}

static int run_init(lua_State *L) {
  const char *name = "=LUA_INIT_5_4", *init = getenv(name + 1);
  if (!init) init = getenv((name = "=LUA_INIT") + 1);
  if (!init) return LUA_OK;
  return init[0] == '@' ? run_file(L, init + 1) : run_string(L, init, name);
}

/* The global `lariat` loads itself when it is first named. */
static int late_global(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING || strcmp(lua_tostring(L, 2), lm_name) != 0) return 0;
  lua_getglobal(L, "require");
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

static void open_libraries(lua_State *L, int asked) {
  if (asked & NO_ENVIRONMENT) {
    lua_pushboolean(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  }
  luaL_openlibs(L);
  lb_baked_open(L);
  lua_pushglobaltable(L);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, late_global);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

/* The whole program, protected: returns true if all went well. */
static int run(lua_State *L) {
  int argc = (int)lua_tointeger(L, 1), script = 1;
  char **argv = lua_touserdata(L, 2);
  int asked = read_options(argv, &script);
  luaL_checkversion(L);
  if (asked == WRONG) {
    complain(argv[script]);
    return 0;
  }
  if (asked & VERSION) lm_version();
  open_libraries(L, asked);
  make_arg(L, argv, argc, script);
  lua_gc(L, LUA_GCGEN, 0, 0);
  if (!(asked & NO_ENVIRONMENT) && run_init(L) != LUA_OK) return 0;
  if (run_options(L, argv, script) != LUA_OK) return 0;
  if (script < argc && run_script(L, argv + script) != LUA_OK) return 0;
  if (asked & INTERACTIVE) {
    lm_repl(L);
  } else if (script == argc && !(asked & (EXECUTE | VERSION))) {
    if (isatty(STDIN_FILENO)) {
      lm_version();
      lm_repl(L);
    } else {
      run_file(L, NULL);
    }
  }
  lua_pushboolean(L, 1);
  return 1;
}

int main(int argc, char **argv) {
  lua_State *L = luaL_newstate();
  if (!L) {
    lm_message(lm_name, "cannot create state: not enough memory");
    return EXIT_FAILURE;
  }
  lua_pushcfunction(L, run);
  lua_pushinteger(L, argc);
  lua_pushlightuserdata(L, argv);
  int status = lua_pcall(L, 2, 1, 0), good = lua_toboolean(L, -1);
  lm_report(L, status);
  lua_close(L);
  return good && status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
