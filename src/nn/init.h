/*
 * nn/init - how parameters start: initialisers by name.
 *
 * Floor:    nn. Draws come from the stream "init" and are made in double, so a float32 and a
 *           float64 model start alike.
 * Contract: a weight is (out, in, ...): fan_in counts what one output reads, fan_out what
 *           one input reaches.
 */
#ifndef LAR_NN_INIT_H
#define LAR_NN_INIT_H

#include "nn/nn.h"

typedef struct lar_scheme {
  const char *name, *doc, *source;
  const lar_param *params;
  lar_status (*fill)(const double *p, const lar_tensor *w); /* p: params in order */
} lar_scheme;

enum { LAR_SCHEME_PARAMS = 4 };

extern const lar_scheme lar_schemes[]; /* ends with a NULL name */
const lar_scheme *lar_scheme_find(const char *name);

/* Fill w; `self` is LAR_SCHEME_PARAMS doubles set through scheme->params. */
lar_status lar_scheme_fill(const lar_scheme *scheme, const double *self, const lar_tensor *w);

/* The scheme of that name with its defaults. */
lar_status lar_init(const char *scheme, const lar_tensor *w);

void lar_init_uniform(const lar_tensor *w, double lo, double hi);
void lar_init_normal(const lar_tensor *w, double mean, double std);

#endif
