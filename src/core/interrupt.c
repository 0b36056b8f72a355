#include "core/interrupt.h"

#include <signal.h>

static volatile sig_atomic_t flag, held;

void lar_interrupt_set(void) { flag = 1; }

bool lar_interrupt_pending(void) { return flag != 0; }

void lar_interrupt_clear(void) { flag = 0; }

bool lar_interrupt_hold(bool on) {
  bool before = held != 0;
  held = on;
  return before;
}

bool lar_interrupt_held(void) { return held != 0; }
