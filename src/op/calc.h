/*
 * op/calc - ops as functions, for formulas in C: derivatives, layers, losses, penalties.
 *
 * Floor:    op. Each takes a scope that owns the result, and returns NULL (with the scope's
 *           status set) on failure or when given NULL. Dimensions are 1-based or negative,
 *           as in Lua. Any op is also in reach by name: LAR_CALL1(s, tanh, x).
 * Usage:    lar_var *mse = lar_mean(s, lar_square(s, lar_sub(s, a, b)));
 */
#ifndef LAR_OP_CALC_H
#define LAR_OP_CALC_H

#include "op/op.h"

/* An op by the name of its file, with no attributes. */
#define LAR_CALL1(s, op, a)       lar_call1(s, LAR_OP(op), a)
#define LAR_CALL2(s, op, a, b)    lar_call2(s, LAR_OP(op), a, b)
#define LAR_CALL3(s, op, a, b, c) lar_call3(s, LAR_OP(op), a, b, c)
#define LAR_OP(op)                   \
  __extension__({                    \
    extern const lar_op lar_op_##op; \
    &lar_op_##op;                    \
  })

lar_var *lar_call1(lar_scope *s, const lar_op *op, lar_var *a);
lar_var *lar_call2(lar_scope *s, const lar_op *op, lar_var *a, lar_var *b);
lar_var *lar_call3(lar_scope *s, const lar_op *op, lar_var *a, lar_var *b, lar_var *c);

/* With parameters: defaults of the op's schema, then f[0] = p. */
lar_attr lar_attr_default(const lar_op *op);
void lar_attr_reset(lar_attr *a, const lar_op *op); /* the same, in place */
lar_var *lar_call1f(lar_scope *s, const lar_op *op, lar_var *a, double p);

/* Constants: a scalar of v's dtype; zeros or ones of its shape. */
lar_var *lar_const_like(lar_scope *s, const lar_var *v, double value);
lar_var *lar_full_like(lar_scope *s, const lar_var *v, double value);
lar_var *lar_detach(lar_scope *s, lar_var *v);
lar_var *lar_wrap(lar_scope *s, const lar_tensor *t); /* a value on t's storage */

lar_var *lar_add(lar_scope *s, lar_var *a, lar_var *b);
lar_var *lar_sub(lar_scope *s, lar_var *a, lar_var *b);
lar_var *lar_mul(lar_scope *s, lar_var *a, lar_var *b);
lar_var *lar_div(lar_scope *s, lar_var *a, lar_var *b);
lar_var *lar_neg(lar_scope *s, lar_var *a);
lar_var *lar_affine(lar_scope *s, lar_var *a, double scale, double shift); /* scale a + shift */
lar_var *lar_pow(lar_scope *s, lar_var *a, double power);
lar_var *lar_where(lar_scope *s, lar_var *cond, lar_var *a, lar_var *b);
lar_var *lar_clamp(lar_scope *s, lar_var *a, double lo, double hi);

lar_var *lar_sum(lar_scope *s, lar_var *a);  /* over all */
lar_var *lar_mean(lar_scope *s, lar_var *a); /* over all */
lar_var *lar_sum_dim(lar_scope *s, lar_var *a, int64_t dim, bool keepdim);
lar_var *lar_mean_dim(lar_scope *s, lar_var *a, int64_t dim, bool keepdim);
lar_var *lar_sum_to(lar_scope *s, lar_var *a, const lar_tensor *shape); /* undo broadcasting */
lar_var *lar_expand(lar_scope *s, lar_var *a, int ndim, const int64_t *shape);
lar_var *lar_cast(lar_scope *s, lar_var *a, lar_dtype dtype);

lar_var *lar_reshape(lar_scope *s, lar_var *a, int ndim, const int64_t *shape);
lar_var *lar_unsqueeze(lar_scope *s, lar_var *a, int64_t dim);
lar_var *lar_squeeze(lar_scope *s, lar_var *a, int64_t dim);
lar_var *lar_transpose(lar_scope *s, lar_var *a, int64_t d1, int64_t d2);
lar_var *lar_narrow(lar_scope *s, lar_var *a, int64_t dim, int64_t start, int64_t len);
lar_var *lar_matmul(lar_scope *s, lar_var *a, lar_var *b);
lar_var *lar_with_dim(lar_scope *s, const lar_op *op, lar_var *a, int64_t dim);

#endif
