/*
 * op/matrices - what the ops of linear algebra share.
 *
 * The last two dimensions are a matrix, those before them a batch.
 */
#ifndef LAR_OP_MATRICES_H
#define LAR_OP_MATRICES_H

#include "op/calc.h"

/* The k-th of t's matrices (of vectors with `tail` 1, of numbers with 0): a view that holds
 * no reference of its own. */
lar_tensor lar_matrices_at(const lar_tensor *t, int tail, int64_t k);

/* How many there are. */
int64_t lar_matrices_count(const lar_tensor *t, int tail);

/* in[k] as floats (a new reference), refused unless it is a matrix or a batch of them. */
lar_status lar_matrices_input(const lar_io *io, int k, lar_tensor *out);

/* out[k] of x's batch and dtype; tail dimensions m, n. */
lar_status lar_matrices_output(lar_io *io, int k, const lar_tensor *x, int tail, int64_t m,
                               int64_t n);

/* For formulas. */
lar_var *lar_adjoint(lar_scope *s, lar_var *x);                      /* transposed matrices */
lar_var *lar_identity(lar_scope *s, const lar_var *like, int64_t n); /* (n, n) */
lar_var *lar_times_diag(lar_scope *s, lar_var *x, lar_var *d);       /* x diag(d) */
lar_var *lar_times_diag_left(lar_scope *s, lar_var *d, lar_var *x);  /* diag(d) x */
lar_var *lar_embed_diag(lar_scope *s, lar_var *d);                   /* diag(d) */

/* 1 / (v_j - v_i) off the diagonal, 0 on it, for v (..., n). */
lar_var *lar_gaps(lar_scope *s, lar_var *v);

#endif
