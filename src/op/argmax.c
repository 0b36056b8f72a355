#include "op/extreme.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) { return lar_extreme_place(io, true); }

LAR_ENTRY(op, argmax) = {
  .name = "argmax",
  .doc = "place of the largest element, of all (in row-major order) or along a dimension",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .forward = forward,
};
