/*
 * core/number - for files compiled for float, double and int64: see core/real.h.
 */
#ifndef LAR_CORE_NUMBER_H
#define LAR_CORE_NUMBER_H

#include "core/real.h"

#endif
