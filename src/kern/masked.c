#include "kern/masked.h"

#include "core/mem.h"
#include "core/par.h"

enum { PART = 8192 };

typedef struct job {
  const lar_masked *m;
  void *to;
  const void *from;
  size_t size;
} job;

static int64_t parts(int64_t n) { return (n + PART - 1) / PART; }

static void counts(void *ctx, int64_t begin, int64_t end) {
  lar_masked *m = ctx;
  for (int64_t k = begin; k < end; k++) {
    int64_t first = k * PART, last = first + PART < m->n ? first + PART : m->n, count = 0;
    for (int64_t i = first; i < last; i++) count += m->on[i] != 0;
    m->start[k] = count;
  }
}

lar_status lar_masked_init(lar_masked *m, const uint8_t *on, int64_t n) {
  void *start;
  *m = (lar_masked){.on = on, .n = n};
  LAR_TRY(lar_alloc_raw(&start, (size_t)parts(n) + 1, sizeof *m->start));
  m->start = start;
  lar_par_for(parts(n), 1, counts, m);
  for (int64_t k = 0; k <= parts(n); k++) {
    int64_t here = k < parts(n) ? m->start[k] : 0;
    m->start[k] = m->count;
    m->count += here;
  }
  return LAR_OK;
}

void lar_masked_clear(lar_masked *m) {
  lar_free(m->start);
  m->start = NULL;
}

/* Without a branch for each element; what is written too early is written over, and never
 * beyond the part's own. */
#define TAKE(type)                                    \
  for (int64_t i = k * PART; at < stop; i++) {        \
    ((type *)j->to)[at] = ((const type *)j->from)[i]; \
    at += on[i] != 0;                                 \
  }

static void take(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  const uint8_t *on = j->m->on;
  for (int64_t k = begin; k < end; k++) {
    int64_t at = j->m->start[k], stop = j->m->start[k + 1];
    if (j->size == sizeof(uint32_t))
      TAKE(uint32_t)
    else if (j->size == sizeof(uint64_t))
      TAKE(uint64_t)
    else
      TAKE(uint8_t)
  }
}

#define PUT(type)                                                  \
  for (int64_t i = k * PART; at < stop; i++) {                     \
    type *to = (type *)j->to + i, x = ((const type *)j->from)[at]; \
    *to = on[i] != 0 ? x : *to;                                    \
    at += on[i] != 0;                                              \
  }

static void put(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  const uint8_t *on = j->m->on;
  for (int64_t k = begin; k < end; k++) {
    int64_t at = j->m->start[k], stop = j->m->start[k + 1];
    if (j->size == sizeof(uint32_t))
      PUT(uint32_t)
    else if (j->size == sizeof(uint64_t))
      PUT(uint64_t)
    else
      PUT(uint8_t)
  }
}

void lar_masked_take(const lar_masked *m, void *to, const void *from, size_t size) {
  lar_par_for(parts(m->n), 1, take, &(job){m, to, from, size});
}

void lar_masked_put(const lar_masked *m, void *to, const void *from, size_t size) {
  lar_par_for(parts(m->n), 1, put, &(job){m, to, from, size});
}
