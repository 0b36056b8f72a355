/*
 * lariat - the engine, for a program in C. Link with -llariat.
 *
 * Every function returns lar_status (core/status.h); on failure lar_why() has one sentence.
 * Usage: see examples/07-embed.c.
 */
#ifndef LARIAT_H
#define LARIAT_H

#define LARIAT_VERSION "0.1.0"

#include "core/interrupt.h"
#include "core/mem.h"
#include "core/rng.h"
#include "core/status.h"
#include "core/tensor.h"
#include "grad/grad.h"
#include "kern/copy.h"
#include "loss/loss.h"
#include "nn/nn.h"
#include "op/calc.h"
#include "op/op.h"
#include "optim/optim.h"
#include "penalty/reg.h"
#include "train/fit.h"

#endif
