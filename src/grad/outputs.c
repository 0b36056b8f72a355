#include "grad/outputs.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

lar_status lar_outputs_add(lar_outputs *o, const lar_output *like) {
  void *at = o->at;
  lar_status st = lar_grow(&at, &o->cap, (size_t)o->n + 1, sizeof *o->at);
  o->at = at;
  LAR_TRY(st);
  lar_output *to = &o->at[o->n];
  *to = *like;
  LAR_TRY(lar_strdup(&to->name, like->name));
  (void)lar_var_ref(to->var);
  o->n++;
  return LAR_OK;
}

void lar_outputs_clear(lar_outputs *o) {
  for (int k = 0; k < o->n; k++) {
    lar_free(o->at[k].name);
    lar_var_unref(o->at[k].var);
  }
  lar_free(o->at);
  *o = (lar_outputs){0};
}

const char *lar_outputs_text(const lar_outputs *o) {
  static _Thread_local char text[240];
  size_t at = 0;
  text[0] = '\0';
  for (int k = 0; k < o->n && at < sizeof text; k++)
    if (o->at[k].name[0] != '\0')
      at += (size_t)snprintf(text + at, sizeof text - at, "%s%s (%s)", at > 0 ? ", " : "",
                             o->at[k].name, o->at[k].kind);
  return text;
}
