/*
 * core/par - work cut into chunks of fixed size, whatever the number of threads.
 *
 * Chunk boundaries depend on `n` and `grain` only, so results are the same bits with one
 * thread or many as long as each chunk writes its own output.
 */
#ifndef LAR_CORE_PAR_H
#define LAR_CORE_PAR_H

#include <stdint.h>

typedef void lar_par_body(void *ctx, int64_t begin, int64_t end);

/* Fewer chunks than this are not worth waking another thread for, and waiting for it on a
 * machine that is busy with other things costs far more than the work. */
enum { LAR_PAR_LEAST = 16 };

/* Call body(ctx, begin, end) over [0, n) in chunks of `grain` (some ten thousand simple
 * operations); in parallel when there are many and the caller is not inside a parallel region
 * already. A thread begins with the same chunks every time, whose data it may have at hand, and
 * helps others when it is done. */
void lar_par_for(int64_t n, int64_t grain, lar_par_body *body, void *ctx);

/* Call task(ctx, k) for every k in [0, n): each of them work enough for a thread, handed out as
 * threads become free; what one of several tasks calls in turn runs on its thread alone, a task
 * that is the only one has all of them. */
typedef void lar_par_task(void *ctx, int64_t k);
void lar_par_tasks(int64_t n, lar_par_task *task, void *ctx);

/* Call body(ctx, begin, end) over [0, n) cut into one stretch for each thread, the same one
 * every time unless it comes late: only for work whose bits do not depend on where it is cut.
 */
void lar_par_shares(int64_t n, lar_par_body *body, void *ctx);

int lar_par_threads(void);
void lar_par_set_threads(int n);

#endif
