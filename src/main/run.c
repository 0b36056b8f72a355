#include "main/run.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "core/interrupt.h"
#include "lariat.h"

const char lm_name[] = "lariat";
int lm_interactive;

static lua_State *running; /* where the signal handler sets its hook */

void lm_version(void) {
  printf("lariat " LARIAT_VERSION " (" LUA_RELEASE ")\n");
  fflush(stdout);
}

void lm_message(const char *who, const char *message) {
  if (who) fprintf(stderr, "%s: ", who);
  fprintf(stderr, "%s\n", message);
  fflush(stderr);
}

int lm_report(lua_State *L, int status) {
  if (status != LUA_OK) {
    const char *message = lua_tostring(L, -1);
    lm_message(lm_name, message ? message : "(error message is not a string)");
    lua_pop(L, 1);
  }
  return status;
}

static int add_traceback(lua_State *L) {
  const char *message = lua_tostring(L, 1);
  if (!message) {
    if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING) return 1;
    message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
  }
  luaL_traceback(L, L, message, 1);
  return 1;
}

static void stop(lua_State *L, lua_Debug *ar) {
  (void)ar;
  if (lar_interrupt_held()) return;
  lua_sethook(L, NULL, 0, 0);
  lar_interrupt_clear();
  luaL_error(L, "interrupted!");
}

static void on_interrupt(int sig) {
  if (lar_interrupt_pending() &&
      !lar_interrupt_held()) { /* the last one is not served: give up */
    signal(sig, SIG_DFL);
    raise(sig);
    return;
  }
  if (lar_interrupt_pending())
    lar_interrupt_hold(false); /* no waiting for Lua to end its part */
  lar_interrupt_set();
  lua_sethook(running, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
  ssize_t written = lm_interactive ? write(STDOUT_FILENO, "\n", 1) : 0;
  (void)written;
}

static void on_signal(int sig, void (*handler)(int)) {
  struct sigaction sa = {.sa_handler = handler};
  sigemptyset(&sa.sa_mask);
  sigaction(sig, &sa, NULL);
}

int lm_call(lua_State *L, int narg, int nres) {
  int base = lua_gettop(L) - narg;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, base);
  running = L;
  lar_interrupt_clear();
  lar_interrupt_hold(false);
  on_signal(SIGINT, on_interrupt);
  int status = lua_pcall(L, narg, nres, base);
  on_signal(SIGINT, SIG_DFL);
  lua_sethook(L, NULL, 0, 0); /* asked for too late */
  lar_interrupt_clear();
  lua_remove(L, base);
  return status;
}
