/*
 * op/call - recorded applications, as the backward pass sees them.
 */
#ifndef LAR_OP_CALL_H
#define LAR_OP_CALL_H

#include "op/op.h"

lar_call *lar_call_ref(lar_call *c);
void lar_call_unref(lar_call *c);

/* Note that out came from in, without running anything. */
lar_status lar_call_record(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                           int nout, lar_var **out);

/* A value for a fresh tensor of the shape of `like`, and of no more elements. */
lar_status lar_var_like(lar_var **out, lar_dtype dtype, const lar_tensor *like);

/* Output k of a recorded call as a value with its history. */
lar_status lar_call_output(lar_call *c, int k, lar_var **out);

/* LAR_EARG when a tensor that c's derivative reads was changed since it was recorded. */
lar_status lar_call_fresh(const lar_call *c);

#endif
