#include "main/edit.h"

#include <dlfcn.h>
#include <errno.h>
#include <histedit.h>
#include <lauxlib.h>
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "main/run.h"

enum { HISTORY_LINES = 1000, LINE_BYTES = 4096 };

/* libedit, loaded only here: linking it would make every start of the program slower. */
static struct {
  __typeof__(el_init) *init;
  __typeof__(el_end) *end;
  __typeof__(el_set) *set;
  __typeof__(el_gets) *gets;
  __typeof__(el_source) *source;
  __typeof__(el_resize) *resize;
  __typeof__(history_init) *history_init;
  __typeof__(history_end) *history_end;
  __typeof__(history) *history;
} lib;

static EditLine *editor; /* NULL: lines are read plainly */
static History *past;
static int terminal;
static const char *prompt_now;
static volatile sig_atomic_t cancelled;

/* The history file -------------------------------------------------------------------- */

static const char *history_path(void) {
  static char path[PATH_MAX - 16];
  const char *set = getenv("LARIAT_HISTORY"), *home = getenv("HOME");
  int n = 0;
  if (set)
    n = snprintf(path, sizeof path, "%s", set);
  else if (home)
    n = snprintf(path, sizeof path, "%s/.lariat_history", home);
  return n > 0 && (size_t)n < sizeof path ? path : NULL;
}

/* Copy all but the first `skip` lines of `from`; to nowhere if `to` is NULL. Counts lines. */
static int copy_lines(FILE *from, FILE *to, int skip) {
  int lines = 0, c;
  while ((c = getc(from)) != EOF) {
    if (to && lines >= skip) putc(c, to);
    lines += c == '\n';
  }
  return lines;
}

static int write_history(FILE *to, FILE *old, const char *line) {
  if (old) {
    int lines = copy_lines(old, NULL, 0);
    rewind(old);
    copy_lines(old, to, lines - HISTORY_LINES + 1);
  }
  fprintf(to, "%s\n", line);
  return !ferror(to);
}

/* Add a line to the file: rewritten beside itself and renamed, so that it is whole at any
 * moment, and sessions that run at once keep each other's lines. Failure is no concern. */
static void save_line(const char *line) {
  const char *path = history_path();
  char temp[PATH_MAX];
  if (!path) return;
  snprintf(temp, sizeof temp, "%s.XXXXXX", path);
  int fd = mkstemp(temp);
  FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
  if (!to) {
    if (fd >= 0) close(fd);
    return;
  }
  FILE *old = fopen(path, "r");
  int good = write_history(to, old, line);
  if (old) fclose(old);
  if (fclose(to) != 0 || !good || rename(temp, path) != 0) unlink(temp);
}

static void recall_lines(void) {
  const char *path = history_path();
  FILE *f = path ? fopen(path, "r") : NULL;
  char line[LINE_BYTES];
  HistEvent ev;
  if (!f) return;
  while (fgets(line, sizeof line, f)) lib.history(past, &ev, H_ENTER, line);
  fclose(f);
}

static void remember(const char *line) {
  static char last[LINE_BYTES];
  if (!terminal || line[strspn(line, " \t")] == '\0' || strcmp(line, last) == 0) return;
  snprintf(last, sizeof last, "%s", line);
  save_line(line);
  if (editor) {
    HistEvent ev;
    lib.history(past, &ev, H_ENTER, line);
  }
}

/* The editor -------------------------------------------------------------------------- */

static int load_library(void) {
  static const char *const names[] = {"el_init",      "el_end",      "el_set",
                                      "el_gets",      "el_source",   "el_resize",
                                      "history_init", "history_end", "history"};
  void *so = dlopen("libedit.so.2", RTLD_NOW | RTLD_LOCAL);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    void *f = so ? dlsym(so, names[i]) : NULL;
    if (!f) return 0;
    memcpy((char *)&lib + i * sizeof f, &f, sizeof f);
  }
  return 1;
}

static char *show_prompt(EditLine *e) {
  (void)e;
  static char text[256];
  snprintf(text, sizeof text, "%s", prompt_now);
  return text;
}

/* One character for the editor. Ctrl-C ends the line, which is then thrown away. */
static int read_character(EditLine *e, wchar_t *c) {
  (void)e;
  mbstate_t state = {0};
  for (;;) {
    char byte;
    ssize_t n = read(STDIN_FILENO, &byte, 1);
    if (cancelled) {
      *c = L'\n';
      return 1;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return (int)n;
    size_t used = mbrtowc(c, &byte, 1, &state);
    if (used == (size_t)-2) continue;
    if (used == (size_t)-1) *c = L'?';
    return 1;
  }
}

void lm_edit_open(void) {
  terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  if (!terminal || !load_library()) return;
  setlocale(LC_CTYPE, "");
  HistEvent ev;
  past = lib.history_init();
  editor = past ? lib.init(lm_name, stdin, stdout, stderr) : NULL;
  if (!editor) return;
  lib.history(past, &ev, H_SETSIZE, HISTORY_LINES);
  recall_lines();
  lib.set(editor, EL_PROMPT, show_prompt);
  lib.set(editor, EL_EDITOR, "emacs");
  lib.set(editor, EL_HIST, lib.history, past);
  lib.set(editor, EL_GETCFN, read_character);
  lib.set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
  lib.source(editor, NULL);
}

void lm_edit_close(void) {
  if (editor) lib.end(editor);
  if (past) lib.history_end(past);
  editor = NULL;
  past = NULL;
}

/* Reading a line ---------------------------------------------------------------------- */

static void on_cancel(int sig) {
  (void)sig;
  cancelled = 1;
}

static int edited_line(lua_State *L) {
  int n;
  lib.resize(editor);
  lib.set(editor, EL_PREP_TERM,
          1); /* before the prompt: what is typed at once is echoed once */
  const char *line = lib.gets(editor, &n);
  if (!line || n <= 0) return 0;
  lua_pushlstring(L, line, (size_t)n);
  return 1;
}

static int plain_line(lua_State *L, const char *prompt) {
  luaL_Buffer b;
  fputs(prompt, stdout);
  fflush(stdout);
  luaL_buffinit(L, &b);
  for (int more = 1, some = 0; more; some = 1) {
    char *to = luaL_prepbuffsize(&b, LINE_BYTES);
    if (!fgets(to, LINE_BYTES, stdin)) {
      luaL_pushresult(&b);
      return some && !cancelled;
    }
    size_t n = strlen(to);
    luaL_addsize(&b, n);
    more = n > 0 && to[n - 1] != '\n';
  }
  luaL_pushresult(&b);
  return 1;
}

enum lm_edit lm_edit_line(lua_State *L, const char *prompt) {
  struct sigaction mine = {.sa_handler = on_cancel}, before;
  sigemptyset(&mine.sa_mask);
  cancelled = 0;
  prompt_now = prompt;
  sigaction(SIGINT, &mine, &before); /* no SA_RESTART: the read has to return */
  int got = editor ? edited_line(L) : plain_line(L, prompt);
  sigaction(SIGINT, &before, NULL);
  if (cancelled) {
    clearerr(stdin);
    if (!editor) fputs("\n", stdout);
    return LM_EDIT_CANCEL;
  }
  if (!got) return LM_EDIT_END;
  size_t n;
  const char *line = lua_tolstring(L, -1, &n);
  if (n > 0 && line[n - 1] == '\n') {
    lua_pushlstring(L, line, n - 1);
    lua_remove(L, -2);
  }
  remember(lua_tostring(L, -1));
  return LM_EDIT_LINE;
}
