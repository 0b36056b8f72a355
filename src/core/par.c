#include "core/par.h"

#include <omp.h>
#include <stdatomic.h>
#include <stddef.h>

struct job {
  int64_t n, grain, chunks;
  lar_par_body *body;
  void *ctx;
  lar_par_task *task; /* in the place of body */
};

static void chunk(const struct job *j, int64_t c) {
  if (j->task != NULL) {
    j->task(j->ctx, c);
    return;
  }
  int64_t begin = c * j->grain, end = begin + j->grain;
  j->body(j->ctx, begin, end < j->n ? end : j->n);
}

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>

/* The thread sanitizer does not see how libgomp hands work over, so it is told. The job is
 * global because the compiler would pass a local one on before it can be told. */
static void run(const struct job *j) {
  static struct job now;
  now = *j;
  __tsan_release(&now);
#pragma omp parallel
  {
    __tsan_acquire(&now);
#pragma omp for schedule(static)
    for (int64_t c = 0; c < now.chunks; c++) chunk(&now, c);
    __tsan_release(&now);
  }
  __tsan_acquire(&now);
}
#else
/* Chunks in a row that a thread begins with, on a cache line of their own. */
enum { SHARES = 64 };
typedef struct share {
  _Alignas(64) _Atomic int64_t next;
  int64_t end;
} share;

/* Each thread goes through its own share, which is always the same, and then helps with those
 * that are not done. More tasks than threads are one share. */
static void run(const struct job *j) {
  share all[SHARES];
  int threads = omp_get_max_threads(), n = j->task != NULL && j->chunks > threads ? 1 : threads;
  if (n > SHARES) n = SHARES;
  for (int k = 0; k < n; k++) {
    atomic_init(&all[k].next, (j->chunks * k + n - 1) / n);
    all[k].end = (j->chunks * (k + 1) + n - 1) / n;
  }
#pragma omp parallel
  for (int k = 0, me = omp_get_thread_num(); k < n; k++) {
    share *s = &all[(me + k) % n];
    for (int64_t c;
         (c = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed)) < s->end;)
      chunk(j, c);
  }
}
#endif

void lar_par_for(int64_t n, int64_t grain, lar_par_body *body, void *ctx) {
  struct job j = {n, grain, grain > 0 ? (n + grain - 1) / grain : 1, body, ctx, NULL};
  if (j.chunks <= 1) {
    if (n > 0) body(ctx, 0, n);
  } else if (j.chunks < LAR_PAR_LEAST || omp_in_parallel() || omp_get_max_threads() == 1) {
    for (int64_t c = 0; c < j.chunks; c++) chunk(&j, c);
  } else {
    run(&j);
  }
}

void lar_par_tasks(int64_t n, lar_par_task *task, void *ctx) {
  struct job j = {.n = n, .grain = 1, .chunks = n, .ctx = ctx, .task = task};
  if (n > 1 && !omp_in_parallel() && omp_get_max_threads() > 1)
    run(&j);
  else
    for (int64_t k = 0; k < n; k++) task(ctx, k);
}

void lar_par_shares(int64_t n, lar_par_body *body, void *ctx) {
  int64_t threads = omp_get_max_threads();
  int64_t each = (n + threads - 1) / threads;
  struct job j = {n, each, each > 0 ? (n + each - 1) / each : 0, body, ctx, NULL};
  if (n > 1 && !omp_in_parallel() && threads > 1)
    run(&j);
  else if (n > 0)
    body(ctx, 0, n);
}

int lar_par_threads(void) { return omp_get_max_threads(); }

void lar_par_set_threads(int n) { omp_set_num_threads(n); }
