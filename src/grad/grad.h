/*
 * grad/grad - reverse-mode derivatives of recorded values.
 *
 * Floor:    grad (may include: op kern core).
 * Contract: the backward pass walks recorded calls from the last to the first and asks each
 *           op for its vjp. With create_graph the pass is itself recorded, so its results
 *           can be differentiated again.
 */
#ifndef LAR_GRAD_GRAD_H
#define LAR_GRAD_GRAD_H

#include "op/op.h"

/* Add df/dv to v->grad for every leaf v that requires a gradient. `seed` is the gradient of
 * f itself: NULL means 1, for an f with one element. LAR_EARG when nothing is recorded. */
lar_status lar_backward(lar_var *f, lar_var *seed, bool create_graph);

/* out[k] = df/dx[k], a new reference; zeros where f does not depend on x[k]. */
lar_status lar_grad(lar_var *f, lar_var *seed, int n, lar_var *const *x, bool create_graph,
                    lar_var **out);

/* The same for the sum over nf values f, each with a seed of its own; NULL where there is no
 * path from x[k] to any. */
lar_status lar_grad_paths(int nf, lar_var *const *f, lar_var *const *seed, int n,
                          lar_var *const *x, bool create_graph, lar_var **out);

#endif
