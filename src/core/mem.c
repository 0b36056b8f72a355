#include "core/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/alone.h"

/* Under a sanitizer or valgrind every block goes back at once, so that misuse is seen. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(LAR_NO_CACHE)
enum { CACHE_LIMIT = 0 };
#else
enum { CACHE_LIMIT = LAR_MEM_CACHE };
#endif

enum { HEADER = 64, CLASSES = 4 * 48 };

/* No block is larger: half a tebibyte, within what a sanitizer takes without aborting. */
#define LARGEST ((size_t)1 << 39)

/* Sits in front of the caller's bytes; one cache line, so alignment is kept. */
typedef struct block {
  struct block *next;
  size_t bytes; /* of the class, header excluded */
  int class;
} block;

static block *cache[CLASSES];
static size_t cached;
static uint64_t clock_of[CLASSES], now; /* when a block of the class was last asked for */
static atomic_flag lock = ATOMIC_FLAG_INIT;
static atomic_size_t live, live_bytes, count_all; /* changed under the lock, like the cache */
static atomic_long countdown = -1;

static void enter(void) {
  if (lar_alone()) return;
  while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) {
  }
}

static void leave(void) { atomic_flag_clear_explicit(&lock, memory_order_release); }

/* Classes are 64 * 2^k * {1, 1.25, 1.5, 1.75}: at most a quarter of a block is waste. */
static int class_of(size_t bytes, size_t *rounded) {
  if (bytes < 64) bytes = 64;
  int k = 63 - __builtin_clzll(bytes);
  size_t base = (size_t)1 << k, quarter = base / 4;
  size_t steps = (bytes - base + quarter - 1) / quarter;
  *rounded = base + steps * quarter;
  return 4 * (k - 6) + (int)steps;
}

/* To be called under the lock, so that it need not lock the bus once more. */
static void add(atomic_size_t *count, size_t n) {
  atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n,
                        memory_order_relaxed);
}

static void count_block(size_t bytes) {
  add(&live, 1);
  add(&count_all, 1);
  add(&live_bytes, bytes);
}

/* A cached block, counted; or NULL. */
static block *take(int class, size_t bytes) {
  enter();
  block *b = cache[class];
  clock_of[class] = ++now;
  if (b != NULL) {
    cache[class] = b->next;
    cached -= b->bytes;
    count_block(bytes);
  }
  leave();
  return b;
}

/* Large blocks come in large pages, where there are such: a fault for each small one costs
 * more than what is done with the memory. Only advice, so nothing can fail. */
static void advise(void *p, size_t bytes) {
  enum { PAGE = 4096, LARGE = 4 << 20 };
  if (bytes < LARGE) return;
  uintptr_t from = ((uintptr_t)p + PAGE - 1) / PAGE * PAGE, to = (uintptr_t)p + bytes;
  (void)madvise((void *)from, (to - from) / PAGE * PAGE, MADV_HUGEPAGE);
}

static block *fresh(int class, size_t bytes) {
  block *b = aligned_alloc(64, HEADER + (bytes + 63) / 64 * 64);
  if (b == NULL) {
    lar_mem_trim();
    b = aligned_alloc(64, HEADER + (bytes + 63) / 64 * 64);
  }
  if (b == NULL) return NULL;
  advise(b, HEADER + bytes);
  b->bytes = bytes;
  b->class = class;
  enter();
  count_block(bytes);
  leave();
  return b;
}

/* ---- scratch ---- */

enum { SCRATCH = -1 }; /* the class of a block that is not to be freed */

static _Thread_local struct {
  char *at, *end;
  size_t missed;
} scratch;

void lar_mem_scratch(void *p, size_t bytes) {
  scratch.at = p;
  scratch.end = p != NULL ? scratch.at + bytes : NULL;
  scratch.missed = 0;
}

size_t lar_mem_scratch_missed(void) { return scratch.missed; }

static void *from_scratch(size_t bytes) {
  size_t need = HEADER + (bytes + 63) / 64 * 64;
  if ((size_t)(scratch.end - scratch.at) < need) {
    scratch.missed += need;
    return NULL;
  }
  block *b = (block *)scratch.at;
  b->class = SCRATCH;
  scratch.at += need;
  return (char *)b + HEADER;
}

static bool refused(void) {
  return atomic_load_explicit(&countdown, memory_order_relaxed) >= 0 &&
         atomic_fetch_sub(&countdown, 1) == 0;
}

lar_status lar_alloc_raw(void **out, size_t count, size_t size) {
  *out = NULL;
  if (refused()) return lar_fail(LAR_ENOMEM, "out of memory (injected)");
  size_t bytes, rounded;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > LARGEST)
    return lar_fail(LAR_ENOMEM, "out of memory: %zu x %zu bytes asked for", count, size);
  if (scratch.at != NULL && (*out = from_scratch(bytes)) != NULL) return LAR_OK;
  int class = class_of(bytes, &rounded);
  block *b = take(class, rounded);
  if (b == NULL) b = fresh(class, rounded);
  if (b == NULL) return lar_fail(LAR_ENOMEM, "out of memory: %zu bytes asked for", bytes);
  *out = (char *)b + HEADER;
  return LAR_OK;
}

lar_status lar_alloc(void **out, size_t count, size_t size) {
  LAR_TRY(lar_alloc_raw(out, count, size));
  memset(*out, 0, count * size);
  return LAR_OK;
}

static void keep(block *b) {
  b->next = cache[b->class];
  cache[b->class] = b;
  cached += b->bytes;
}

/* The cached class that nobody has asked for the longest, or -1. */
static int stale(void) {
  int found = -1;
  for (int i = 0; i < CLASSES; i++)
    if (cache[i] != NULL && (found < 0 || clock_of[i] < clock_of[found])) found = i;
  return found;
}

/* Room for b in a full cache: blocks of classes that were asked for before its own go, or b
 * itself. To be called under the lock; returns what is to be freed after it. */
static block *replace(block *b) {
  block *gone = NULL;
  while (cached + b->bytes > CACHE_LIMIT) {
    int i = b->bytes > CACHE_LIMIT ? -1 : stale();
    if (i < 0 || clock_of[i] >= clock_of[b->class]) {
      b->next = gone;
      return b;
    }
    block *old = cache[i];
    cache[i] = old->next;
    cached -= old->bytes;
    old->next = gone;
    gone = old;
  }
  keep(b);
  return gone;
}

void lar_free(void *p) {
  if (p == NULL) return;
  block *b = (block *)((char *)p - HEADER), *gone = NULL;
  if (b->class == SCRATCH) return;
  enter();
  add(&live, (size_t)-1);
  add(&live_bytes, 0 - b->bytes);
  if (cached + b->bytes <= CACHE_LIMIT)
    keep(b);
  else
    gone = replace(b);
  leave();
  while (gone != NULL) {
    block *next = gone->next;
    free(gone);
    gone = next;
  }
}

lar_status lar_grow(void **p, size_t *cap, size_t need, size_t size) {
  if (need <= *cap) return LAR_OK;
  size_t fresh_cap = *cap * 2 > need ? *cap * 2 : need;
  void *fresh;
  LAR_TRY(lar_alloc(&fresh, fresh_cap, size));
  if (*p != NULL) memcpy(fresh, *p, *cap * size);
  lar_free(*p);
  *p = fresh;
  *cap = fresh_cap;
  return LAR_OK;
}

lar_status lar_strdup(char **out, const char *text) {
  size_t n = strlen(text) + 1;
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc_raw(&p, n, 1));
  memcpy(p, text, n);
  *out = p;
  return LAR_OK;
}

size_t lar_mem_live(void) { return atomic_load_explicit(&live, memory_order_relaxed); }

size_t lar_mem_bytes(void) { return atomic_load_explicit(&live_bytes, memory_order_relaxed); }

size_t lar_mem_count(void) { return atomic_load_explicit(&count_all, memory_order_relaxed); }

void lar_mem_fail_after(long n) { countdown = n; }

void lar_mem_trim(void) {
  enter();
  for (int i = 0; i < CLASSES; i++)
    while (cache[i] != NULL) {
      block *b = cache[i];
      cache[i] = b->next;
      free(b);
    }
  cached = 0;
  leave();
}
