#include "core/rng.h"

#include <stdio.h>
#include <string.h>

enum { STREAMS = LAR_RNG_STREAMS, NAME = 32 };

static struct stream {
  char name[NAME];
  lar_rng rng;
} streams[STREAMS];
static int count;
static uint64_t seed_now;

static uint64_t mix(uint64_t z) { /* splitmix64's finaliser */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static uint64_t hash(const char *s) { /* FNV-1a */
  uint64_t h = 0xcbf29ce484222325u;
  for (; *s; s++) h = (h ^ (uint8_t)*s) * 0x100000001b3u;
  return h;
}

lar_rng lar_rng_make(uint64_t seed, const char *name) {
  return (lar_rng){.key = mix(seed + 0x9e3779b97f4a7c15u) ^ mix(hash(name))};
}

lar_rng *lar_rng_stream(const char *name) {
  for (int i = 0; i < count; i++)
    if (strncmp(streams[i].name, name, NAME - 1) == 0) return &streams[i].rng;
  if (count == STREAMS) return &streams[STREAMS - 1].rng;
  struct stream *s = &streams[count++];
  (void)snprintf(s->name, NAME, "%s", name);
  s->rng = lar_rng_make(seed_now, s->name);
  return &s->rng;
}

void lar_rng_seed(uint64_t seed) {
  seed_now = seed;
  for (int i = 0; i < count; i++) streams[i].rng = lar_rng_make(seed, streams[i].name);
}

uint64_t lar_rng_get_seed(void) { return seed_now; }

const char *lar_rng_nth(int k, lar_rng **state) {
  if (k >= count) return NULL;
  *state = &streams[k].rng;
  return streams[k].name;
}

void lar_rng_mark(lar_rng_marks *m) {
  m->n = count;
  for (int i = 0; i < count; i++) m->at[i] = streams[i].rng.at;
}

void lar_rng_go_back(const lar_rng_marks *m) {
  for (int i = 0; i < m->n; i++) streams[i].rng.at = m->at[i];
}

/* 53 bits from two words, in [0, 1). */
static inline double unit(uint32_t hi, uint32_t lo) {
  return (double)((((uint64_t)hi << 32) | lo) >> 11) * 0x1p-53;
}

double lar_rng_uniform(lar_rng *r) {
  uint32_t w[4];
  lar_philox(r->key, r->at++, w);
  return unit(w[0], w[1]);
}

int64_t lar_rng_below(lar_rng *r, int64_t n) {
  uint32_t w[4];
  lar_philox(r->key, r->at++, w);
  return lar_rng_share(((uint64_t)w[0] << 32) | w[1], n);
}

enum { AHEAD = 4 * LAR_PHILOX_LANES };

/* Element i goes to a place below i + 1, as lar_rng_below would draw it: those of AHEAD
 * elements, which are sent for. */
static void deal(const lar_rng *r, int64_t first, const int64_t *out, int64_t *place) {
  uint64_t words[2 * LAR_PHILOX_LANES];
  for (int k = 0; k < AHEAD; k++) {
    int lane = k % LAR_PHILOX_LANES;
    if (lane == 0) lar_philox_block(r->key, r->at + (uint64_t)(first + k), words);
    place[k] = lar_rng_share(words[lane] << 32 | words[lane] >> 32, first + k + 1);
    __builtin_prefetch(out + place[k], 1);
  }
}

void lar_rng_permutation(lar_rng *r, int64_t *out, int64_t n) {
  int64_t place[2][AHEAD];
  int now = 0;
  if (n > 0) deal(r, 0, out, place[now]);
  for (int64_t first = 0; first < n; first += AHEAD, now = !now) {
    int64_t m = n - first < AHEAD ? n - first : AHEAD;
    if (m < n - first) deal(r, first + AHEAD, out, place[!now]);
    for (int64_t k = 0; k < m; k++) {
      int64_t j = place[now][k];
      out[first + k] = out[j];
      out[j] = first + k;
    }
  }
  r->at += (uint64_t)n;
}
