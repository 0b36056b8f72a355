#include "nn/chain.h"

LAR_ENTRY(layer, sequential) = {
  .name = "sequential",
  .doc = "layers one after the other",
  .traits = LAR_LAYER_CONTAINER | LAR_LAYER_CHAIN,
  .forward = lar_chain_forward,
  .shape = lar_chain_shape,
};
