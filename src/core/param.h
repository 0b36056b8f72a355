/*
 * core/param - an entry's own description of its parameters.
 *
 * Floor:    core (may include: core/status.h).
 * Contract: a schema is an array ended by a row with a NULL name; every value is stored as
 *           a double (flags as 0 or 1, choices as the position in `choices`). It drives the
 *           keyword constructors, range checks and their messages, printing, help and
 *           save/load, and is written nowhere else.
 */
#ifndef LAR_CORE_PARAM_H
#define LAR_CORE_PARAM_H

#include <math.h>
#include <stddef.h>

#include "core/status.h"

typedef enum lar_kind { LAR_NUMBER, LAR_INTEGER, LAR_FLAG, LAR_CHOICE } lar_kind;

typedef struct lar_param {
  const char *name;
  size_t at;           /* offsetof the double in the entry's struct */
  double init, lo, hi; /* default and closed bounds; LAR_ABOVE(x) for an open lower one */
  const char *doc;     /* one line, with the unit where there is one */
  lar_kind kind;
  /* "mean|sum|none" for LAR_CHOICE; of an integer that may also be a word, which is then kept
   * as -1, -2, ... */
  const char *choices;
} lar_param;

/* Bounds that exclude their end. */
#define LAR_ABOVE0 4.9406564584124654e-324
#define LAR_BELOW1 (1.0 - 1.1102230246251565e-16)

void lar_param_default(const lar_param *schema, void *self);
const lar_param *lar_param_find(const lar_param *schema, const char *name);

/* Set or read one; `owner` names the entry in messages. Text is for choices. */
lar_status lar_param_set(const lar_param *schema, void *self, const char *owner,
                         const char *name, double v);
lar_status lar_param_set_text(const lar_param *schema, void *self, const char *owner,
                              const char *name, const char *text);
double lar_param_get(const lar_param *p, const void *self);

/* The text of the k-th choice, written to buf. */
void lar_param_choice(const lar_param *p, int k, char *buf, size_t size);

/* Fail with "owner: unknown key 'name'; did you mean 'x'?" from a list of known names. */
lar_status lar_param_unknown(const char *owner, const char *name, const char *const *known,
                             size_t n);

/* Number of single-letter edits between two words. */
int lar_edit_distance(const char *a, const char *b);

#endif
