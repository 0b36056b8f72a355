#include "solver/solver.h"

#include <string.h>

const lar_solver *lar_solver_find(const char *name) {
  for (const lar_solver *const *s = lar_solvers; *s != NULL; s++)
    if (strcmp((*s)->name, name) == 0) return *s;
  return NULL;
}

lar_status lar_solver_choose(const lar_solver **out, const lar_problem *g, const char *name) {
  const lar_solver *last = NULL;
  *out = NULL;
  if (name != NULL) {
    const lar_solver *s = lar_solver_find(name);
    if (s == NULL) return lar_fail(LAR_EARG, "there is no solver '%s'", name);
    LAR_TRY(s->fits(g));
    *out = s;
    return LAR_OK;
  }
  for (const lar_solver *const *s = lar_solvers; *s != NULL; s++) {
    lar_status st = (*s)->fits(g);
    if (st == LAR_OK && (*out == NULL || (*s)->rank > (*out)->rank)) *out = *s;
    if (st != LAR_OK && (*s)->rank > 0 && (last == NULL || (*s)->rank < last->rank)) last = *s;
  }
  return *out != NULL ? LAR_OK : last->fits(g); /* the sentence of the one that takes most */
}

bool lar_unbounded(const lar_problem *g, const lar_point *at, double near) {
  unsigned kinds = LAR_FAM_LABELS | LAR_FAM_JOINT;
  if (at->lambda != 0 || (g->family->traits & kinds) == 0) return false;
  double least = g->family->saturated != NULL ? g->family->saturated(g->self, &g->rows) : 0;
  return at->loss - least <= near * g->null_value;
}
