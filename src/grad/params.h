/*
 * grad/params - the named parameters of a model, as penalties, optimisers and files see them.
 *
 * Floor:    grad.
 * Contract: a list of counted values; names are whole ("1.weight"). A parameter is frozen
 *           when it does not require a gradient: then nothing moves it.
 */
#ifndef LAR_GRAD_PARAMS_H
#define LAR_GRAD_PARAMS_H

#include "op/op.h"

typedef enum lar_pkind { LAR_WEIGHT, LAR_BIAS, LAR_GAIN, LAR_NPKIND } lar_pkind;

typedef struct lar_pentry {
  char *name;
  lar_var *var;
  lar_pkind kind;
} lar_pentry;

typedef struct lar_params {
  int n;
  size_t cap;
  lar_pentry *at;
} lar_params;

/* Append a parameter (a new reference of var, a copy of name). */
lar_status lar_params_add(lar_params *p, const char *name, lar_var *var, lar_pkind kind);
void lar_params_clear(lar_params *p);
const lar_pentry *lar_params_find(const lar_params *p, const char *name);

const char *lar_pkind_name(lar_pkind k);    /* "weight" "bias" "gain" */
lar_pkind lar_pkind_find(const char *name); /* LAR_NPKIND when it is none */

/* Does `name` match a glob with * and ?  */
bool lar_glob(const char *pattern, const char *name);

/* "1.weight (300, 784), 1.bias (300), ..." for messages; lists at most what fits. */
const char *lar_params_text(const lar_params *p);

#endif
