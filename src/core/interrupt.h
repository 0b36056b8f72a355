/*
 * core/interrupt - the flag that Ctrl-C sets and long work polls.
 *
 * lar_interrupt_set may be called from a signal handler.
 */
#ifndef LAR_CORE_INTERRUPT_H
#define LAR_CORE_INTERRUPT_H

#include <stdbool.h>

void lar_interrupt_set(void);
bool lar_interrupt_pending(void);
void lar_interrupt_clear(void);

#endif
