/*
 * core/interrupt - the flag that Ctrl-C sets and long work polls.
 *
 * lar_interrupt_set and lar_interrupt_hold may be called from a signal handler. While it is
 * held, whoever stops other code for it leaves that alone: the work under way calls that code,
 * and ends by its own poll.
 */
#ifndef LAR_CORE_INTERRUPT_H
#define LAR_CORE_INTERRUPT_H

#include <stdbool.h>

void lar_interrupt_set(void);
bool lar_interrupt_pending(void);
void lar_interrupt_clear(void);

/* What was so before. */
bool lar_interrupt_hold(bool on);
bool lar_interrupt_held(void);

#endif
