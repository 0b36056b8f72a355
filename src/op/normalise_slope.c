#include "op/standardise.h"

static const lar_param params[] = {
  {"eps", LAR_AT(0), 1e-5, 0, HUGE_VAL, "added to the variance"}, {0}};

static lar_status run(lar_io *io, lar_tensor *in) {
  lar_dtype t = io->in[3]->dtype;
  for (int k = 0; k < 5; k++) LAR_TRY(lar_contiguous(&in[k], io->in[k], t));
  io->nout = 3;
  LAR_TRY(lar_tensor_init(&io->out[0], t, in[1].ndim, in[1].shape));
  for (int k = 1; k < 3; k++)
    LAR_TRY(lar_tensor_zeros(&io->out[k], t, in[2].ndim, in[2].shape));
  lar_standard j = lar_standard_gained(io->attr, &in[2]);
  j.g = lar_tensor_data(&in[0]);
  j.x = lar_tensor_data(&in[1]);
  j.mean = lar_tensor_data(&in[3]);
  j.var = lar_tensor_data(&in[4]);
  j.gx = lar_tensor_data(&io->out[0]);
  j.ggain = lar_tensor_data(&io->out[1]);
  j.gbias = lar_tensor_data(&io->out[2]);
  return lar_standardise(t, &j);
}

static lar_status forward(lar_io *io) {
  lar_tensor in[5] = {0};
  if (!lar_tensor_same_shape(io->in[0], io->in[1]) ||
      lar_tensor_numel(io->in[3]) != io->attr->i[1] ||
      lar_tensor_numel(io->in[4]) != io->attr->i[1])
    return lar_fail(LAR_ESHAPE, "slope %s, input %s, mean %s and variance %s do not fit",
                    lar_tensor_text(io->in[0]), lar_tensor_text(io->in[1]),
                    lar_tensor_text(io->in[3]), lar_tensor_text(io->in[4]));
  lar_status st = run(io, in);
  for (int k = 0; k < 5; k++) lar_tensor_clear(&in[k]);
  return st;
}

LAR_ENTRY(op, normalise_slope) = {
  .name = "normalise_slope",
  .doc = "what flows back through normalise to its input, gain and bias",
  .args = "xxxxxiiii",
  .params = params,
  .nin = 5,
  .nout = 3,
  .traits = LAR_OP_HIDDEN,
  .forward = forward,
};
