/*
 * op/scan - what cumsum, cumprod and recur share: `args = "xi?"`, f[0] = reverse.
 */
#ifndef LAR_OP_SCAN_H
#define LAR_OP_SCAN_H

#include "kern/scan.h"
#include "op/calc.h"

#define LAR_REVERSE \
  { "reverse", LAR_AT(0), 0, 0, 1, "from the last element to the first", LAR_FLAG, NULL }

/* Along the dimension i[0] (the last unless named); `a`, for RECUR, has x's shape. */
lar_status lar_scan_forward(lar_io *io, lar_scan_kind kind);

/* Helpers of derivatives, along the user's dimension d: op with `reverse` set, and the
 * elements moved one place on (back: towards the front), with `fill` where none comes. */
lar_var *lar_scan_apply(lar_scope *s, const lar_op *op, int nin, lar_var *const *in, int64_t d,
                        bool reverse);
lar_var *lar_scan_shift(lar_scope *s, lar_var *x, int64_t d, bool back, double fill);

#endif
