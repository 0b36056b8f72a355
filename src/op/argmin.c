#include "op/extreme.h"

static const lar_param params[] = {LAR_KEEPDIM, {0}};

static lar_status forward(lar_io *io) { return lar_extreme_place(io, false); }

LAR_ENTRY(op, argmin) = {
  .name = "argmin",
  .doc = "place of the smallest element, of all (in row-major order) or along a dimension",
  .args = "xi?",
  .params = params,
  .nin = 1,
  .forward = forward,
};
