/*
 * core/mem - the only place in the core that calls the C allocator.
 *
 * Floor:    core (may include: core/status.h).
 * Owns:     a cache of freed blocks (at most LAR_MEM_CACHE bytes), the live counts and the
 *           fault-injection countdown; safe to call from several threads.
 * Contract: blocks are 64-byte aligned. lar_alloc gives zeroed memory, lar_alloc_raw does
 *           not. lar_free(NULL) is a no-op. lar_mem_fail_after(n) makes the n-th next
 *           allocation fail once (0: the next), for tests of what happens then.
 */
#ifndef LAR_CORE_MEM_H
#define LAR_CORE_MEM_H

#include <stddef.h>

#include "core/status.h"

enum { LAR_MEM_CACHE = 96 << 20 };

lar_status lar_alloc(void **out, size_t count, size_t size);
lar_status lar_alloc_raw(void **out, size_t count, size_t size);
void lar_free(void *p);

/* Grow *p, an array of `size`-byte items that holds *cap, to at least `need` items. */
lar_status lar_grow(void **p, size_t *cap, size_t need, size_t size);

/* A copy of a string, to be freed with lar_free. */
lar_status lar_strdup(char **out, const char *text);

/* Until the next call, on this thread, blocks come out of the `bytes` bytes at p (64-byte
 * aligned) while there is room: uncounted, and gone all at once, so whoever calls this lets
 * nothing made meanwhile outlive it. NULL: no more. */
void lar_mem_scratch(void *p, size_t bytes);
size_t lar_mem_scratch_missed(void); /* bytes that did not fit in since then */

size_t lar_mem_live(void);       /* blocks not yet freed */
size_t lar_mem_bytes(void);      /* bytes in them */
size_t lar_mem_count(void);      /* allocations so far, cached ones included */
void lar_mem_fail_after(long n); /* n < 0: never fail */
void lar_mem_trim(void);         /* give the cache back to the system */

#endif
