/*
 * core/alone - is this the only thread of the process?
 *
 * Floor: core. While there is one thread there is nobody to lock out, and glibc knows: counting
 * need not lock the bus, which costs a small operation as much as its arithmetic.
 */
#ifndef LAR_CORE_ALONE_H
#define LAR_CORE_ALONE_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32) && !defined(__SANITIZE_THREAD__)
#include <sys/single_threaded.h>
static inline bool lar_alone(void) { return __libc_single_threaded; }
#else
static inline bool lar_alone(void) { return false; }
#endif

#endif
