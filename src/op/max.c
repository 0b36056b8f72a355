#include "op/extreme.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) { return lar_extreme_forward(io, true); }

LAR_ENTRY(op, max) = {
  .name = "max",
  .doc = "largest element; along a dimension also its place (the first of equals); NaN wins",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = lar_extreme_vjp,
};
