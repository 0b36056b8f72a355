/*
 * op/random - noise shaped like a value, for layers that draw anew at each step.
 *
 * Floor:    op. The draws come from the process's stream of that name (core/rng.h), so a run
 *           repeats from its seed. They have no history: to a derivative they are constants.
 */
#ifndef LAR_OP_RANDOM_H
#define LAR_OP_RANDOM_H

#include "op/op.h"

/* 1 with probability `keep`, else 0, in x's dtype. */
lar_var *lar_bernoulli_like(lar_scope *s, const lar_var *x, double keep, const char *stream);
lar_var *lar_normal_like(lar_scope *s, const lar_var *x, double mean, double std,
                         const char *stream);
lar_var *lar_uniform_like(lar_scope *s, const lar_var *x, double lo, double hi,
                          const char *stream);

/* The same in a float dtype and shape; `value` in the place of 1. */
lar_var *lar_bernoulli(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape,
                       double keep, double value, const char *stream);
lar_var *lar_normal(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape, double mean,
                    double std, const char *stream);
lar_var *lar_uniform(lar_scope *s, lar_dtype dtype, int ndim, const int64_t *shape, double lo,
                     double hi, const char *stream);

/* The draw itself, into a contiguous float tensor. */
void lar_draw_run(const lar_draw *d, const lar_tensor *t);

/* The same of coins, in pieces: the stream passes n of them (from where it stood), of which
 * those at [at, at + n) go to out, floats of that size; at is a multiple of 512. */
enum { LAR_DRAW_GRAIN = 4096 }; /* of them keep a thread busy */
uint64_t lar_draw_pass(const lar_draw *d, int64_t n);
void lar_draw_coins(const lar_draw *d, uint64_t from, size_t size, int64_t at, int64_t n,
                    void *out);

#endif
