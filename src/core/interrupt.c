#include "core/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t flag;

void lar_interrupt_set(void) { flag = 1; }

bool lar_interrupt_pending(void) { return flag != 0; }

void lar_interrupt_clear(void) { flag = 0; }
