/*
 * main/edit - one line from the user, with editing and history on a terminal.
 *
 * Floor:    main.
 * Owns:     the line editor (libedit, loaded when a terminal asks for it; without it, and
 *           without a terminal, lines are read plainly) and the history file:
 *           $LARIAT_HISTORY or ~/.lariat_history, the last 1000 lines.
 */
#ifndef LAR_MAIN_EDIT_H
#define LAR_MAIN_EDIT_H

#include <lua.h>

enum lm_edit {
  LM_EDIT_LINE,   /* the line is on the stack */
  LM_EDIT_CANCEL, /* Ctrl-C at the prompt */
  LM_EDIT_END
};

void lm_edit_open(void);
void lm_edit_close(void);

/* Push one line without its newline. */
enum lm_edit lm_edit_line(lua_State *L, const char *prompt);

#endif
