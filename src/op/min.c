#include "op/extreme.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) { return lar_extreme_forward(io, false); }

LAR_ENTRY(op, min) = {
  .name = "min",
  .doc = "smallest element; along a dimension also its place (the first of equals); NaN wins",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .nout = 2,
  .forward = forward,
  .vjp = lar_extreme_vjp,
};
