#include "grad/params.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

lar_status lar_params_add(lar_params *p, const char *name, lar_var *var, lar_pkind kind) {
  void *at = p->at;
  lar_status st = lar_grow(&at, &p->cap, (size_t)p->n + 1, sizeof *p->at);
  p->at = at;
  LAR_TRY(st);
  lar_pentry *e = &p->at[p->n];
  LAR_TRY(lar_strdup(&e->name, name));
  e->var = lar_var_ref(var);
  e->kind = kind;
  p->n++;
  return LAR_OK;
}

void lar_params_clear(lar_params *p) {
  for (int k = 0; k < p->n; k++) {
    lar_free(p->at[k].name);
    lar_var_unref(p->at[k].var);
  }
  lar_free(p->at);
  *p = (lar_params){0};
}

const lar_pentry *lar_params_find(const lar_params *p, const char *name) {
  for (int k = 0; k < p->n; k++)
    if (strcmp(p->at[k].name, name) == 0) return &p->at[k];
  return NULL;
}

static const char *const kinds[] = {"weight", "bias", "gain"};

const char *lar_pkind_name(lar_pkind k) { return k < LAR_NPKIND ? kinds[k] : "?"; }

lar_pkind lar_pkind_find(const char *name) {
  int k = 0;
  while (k < LAR_NPKIND && strcmp(kinds[k], name) != 0) k++;
  return (lar_pkind)k;
}

/* On a mismatch, go back to the last star and let it take one character more. */
bool lar_glob(const char *pattern, const char *name) {
  const char *star = NULL, *back = NULL;
  while (*name != '\0') {
    if (*pattern == '*') {
      star = ++pattern;
      back = name;
    } else if (*pattern == '?' || *pattern == *name) {
      pattern++, name++;
    } else if (star != NULL) {
      pattern = star;
      name = ++back;
    } else {
      return false;
    }
  }
  while (*pattern == '*') pattern++;
  return *pattern == '\0';
}

const char *lar_params_text(const lar_params *p) {
  enum { SIZE = 384, TAIL = 8 };
  static _Thread_local char text[SIZE];
  size_t n = 0;
  text[0] = '\0';
  for (int k = 0; k < p->n; k++) {
    const char *shape = lar_tensor_text(&p->at[k].var->t);
    size_t need = strlen(p->at[k].name) + strlen(shape) + 3;
    if (n + need + TAIL > SIZE) {
      (void)snprintf(text + n, SIZE - n, ", ...");
      return text;
    }
    n +=
      (size_t)snprintf(text + n, SIZE - n, "%s%s %s", k > 0 ? ", " : "", p->at[k].name, shape);
  }
  return p->n > 0 ? text : "none";
}
