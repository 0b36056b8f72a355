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

/* Call body(ctx, begin, end) over [0, n) in chunks of `grain`; in parallel when there are
 * several chunks and the caller is not already inside a parallel region. */
void lar_par_for(int64_t n, int64_t grain, lar_par_body *body, void *ctx);

int lar_par_threads(void);
void lar_par_set_threads(int n);

#endif
