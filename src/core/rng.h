/*
 * core/rng - counter-based random streams with names.
 *
 * Floor:    core. Owns: the process's seed and the positions of its named streams.
 * Source:   Philox4x32-10, Salmon, Moraes, Dror & Shaw 2011, SC'11. A stream's key is the
 *           seed mixed with the hash of its name; element i of a draw is a function of key
 *           and counter alone, so filling in parallel gives the same numbers.
 * Contract: same seed, same calls, same bits. lar_rng_seed restarts every stream.
 */
#ifndef LAR_CORE_RNG_H
#define LAR_CORE_RNG_H

#include <stdint.h>

#include "core/tensor.h"

typedef struct lar_rng {
  uint64_t key, at; /* at: the next free counter */
} lar_rng;

/* The stream of that name ("init" "shuffle" "dropout" "sample" or any other). The returned
 * pointer stays good for the life of the process. Names are remembered up to 64; later ones
 * share the last. */
lar_rng *lar_rng_stream(const char *name);

void lar_rng_seed(uint64_t seed);
uint64_t lar_rng_get_seed(void);

/* A stream apart from the process's, for a seeded run of its own. */
lar_rng lar_rng_make(uint64_t seed, const char *name);

/* Four 32-bit words at a counter. */
void lar_philox(uint64_t key, uint64_t counter, uint32_t out[4]);

/* The words of LAR_PHILOX_LANES counters in a row: out[l] is words 0 (its low half) and 1 of
 * counter + l, out[LAR_PHILOX_LANES + l] is words 2 and 3. */
enum { LAR_PHILOX_LANES = 16 };
void lar_philox_block(uint64_t key, uint64_t counter, uint64_t out[2 * LAR_PHILOX_LANES]);

double lar_rng_uniform(lar_rng *r);           /* [0, 1) */
int64_t lar_rng_below(lar_rng *r, int64_t n); /* 0 .. n-1, unbiased to 2^-64 */

/* Fill a contiguous float tensor. normal: Box-Muller, by functions that are within 4 units in
 * the last place of a double. */
void lar_rng_fill_uniform(lar_rng *r, const lar_tensor *t, double lo, double hi);
void lar_rng_fill_normal(lar_rng *r, const lar_tensor *t, double mean, double std);

/* out[0..n) = lo plus what lar_rng_below(r, count) draws, one by one. */
void lar_rng_fill_integers(lar_rng *r, int64_t *out, int64_t n, int64_t lo, int64_t count);

/* 64 bits, seen as a fraction, of n. */
static inline int64_t lar_rng_share(uint64_t bits, int64_t n) {
  __extension__ typedef unsigned __int128 wide;
  return (int64_t)(((wide)bits * (uint64_t)n) >> 64);
}

/* A uniform permutation of 0 .. n-1 (Fisher-Yates). */
void lar_rng_permutation(lar_rng *r, int64_t *out, int64_t n);

/* Where the process's streams are, to go back to. What comes after at[n) need not be there. */
enum { LAR_RNG_STREAMS = 64 };
typedef struct lar_rng_marks {
  int n;
  uint64_t at[LAR_RNG_STREAMS];
} lar_rng_marks;
void lar_rng_mark(lar_rng_marks *m);
void lar_rng_go_back(const lar_rng_marks *m);

/* Walk over the streams for a checkpoint: name and state of the k-th, NULL past the end. */
const char *lar_rng_nth(int k, lar_rng **state);

#endif
