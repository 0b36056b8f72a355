#include <string.h>

#include "core/rng.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

void lar_philox(uint64_t key, uint64_t counter, uint32_t out[4]) {
  uint32_t c0 = (uint32_t)counter, c1 = (uint32_t)(counter >> 32), c2 = 0, c3 = 0;
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
    uint32_t hi0 = (uint32_t)(p0 >> 32), hi1 = (uint32_t)(p1 >> 32);
    c0 = hi1 ^ c1 ^ k0;
    c2 = hi0 ^ c3 ^ k1;
    c1 = (uint32_t)p1;
    c3 = (uint32_t)p0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* As many counters as a register has room for products of 64 bits. */
#if defined(__AVX512F__)
enum { WIDTH = 8 };
#elif defined(__AVX2__)
enum { WIDTH = 4 };
#else
enum { WIDTH = 2 };
#endif
enum { PARTS = LAR_PHILOX_LANES / WIDTH };

typedef uint64_t wide __attribute__((vector_size(WIDTH * sizeof(uint64_t))));

#define LOW 0xffffffffu

static const uint64_t ramp[] = {0, 1, 2, 3, 4, 5, 6, 7};

/* m times the low halves; the high ones are never looked at. */
static inline wide product(wide a, uint32_t m) {
#if defined(__AVX512F__)
  return (wide)_mm512_mul_epu32((__m512i)a, _mm512_set1_epi64(m));
#elif defined(__AVX2__)
  return (wide)_mm256_mul_epu32((__m256i)a, _mm256_set1_epi64x(m));
#elif defined(__SSE2__)
  return (wide)_mm_mul_epu32((__m128i)a, _mm_set1_epi64x(m));
#else
  return (a & LOW) * m;
#endif
}

void lar_philox_block(uint64_t key, uint64_t counter, uint64_t out[2 * LAR_PHILOX_LANES]) {
  wide c0[PARTS], c1[PARTS], c2[PARTS], c3[PARTS], count;
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  memcpy(&count, ramp, sizeof count);
  count += counter;
  for (int p = 0; p < PARTS; p++, count += WIDTH) {
    c0[p] = count, c1[p] = count >> 32;
    c2[p] = c3[p] = (wide){0};
  }
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
#pragma GCC unroll 8
    for (int p = 0; p < PARTS; p++) {
      wide p0 = product(c0[p], 0xD2511F53u), p1 = product(c2[p], 0xCD9E8D57u);
      c0[p] = (p1 >> 32) ^ c1[p] ^ k0;
      c2[p] = (p0 >> 32) ^ c3[p] ^ k1;
      c1[p] = p1;
      c3[p] = p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  for (int p = 0; p < PARTS; p++) {
    wide first = (c0[p] & LOW) | c1[p] << 32, second = (c2[p] & LOW) | c3[p] << 32;
    memcpy(out + p * WIDTH, &first, sizeof first);
    memcpy(out + LAR_PHILOX_LANES + p * WIDTH, &second, sizeof second);
  }
}
