/*
 * grad/hessian - products with a matrix of second derivatives, which is never made.
 *
 * Floor:    grad.
 * Contract: twice the cost of a gradient and a half; as far as the ops know second derivatives.
 */
#ifndef LAR_GRAD_HESSIAN_H
#define LAR_GRAD_HESSIAN_H

#include "grad/params.h"

/* The Hessian of f, by the parameters that require a gradient, times v: those parameters end to
 * end, in float64. out[i] is parameter i's part of the product, the scope's; NULL where it is
 * frozen, everywhere where f's gradient is constant. */
lar_status lar_hessian_times(lar_scope *s, lar_var *f, const lar_params *p, lar_var *v,
                             lar_var **out);

#endif
