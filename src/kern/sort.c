#include "kern/sort.h"

#include <string.h>

#include "core/mem.h"
#include "core/number.h"
#include "core/par.h"

/* An element as a whole number that has its order: NaN above all, zeros alike. */
typedef struct item {
  uint64_t key;
  int64_t at;
} item;

typedef struct job {
  bool descending;
  int64_t *place;
  const real *x;
  int64_t n, inner, most, rows, each; /* each: rows of a task */
  item *work;                         /* 2 n for each task */
} job;

#define TOP (sizeof(real) == sizeof(uint32_t) ? 31 : 63)

static inline uint64_t key_of(real x, bool descending) {
  const uint64_t sign = (uint64_t)1 << TOP, all = sign | (sign - 1);
  uint64_t key;
#ifdef LAR_REAL_I64
  key = (uint64_t)x ^ sign;
#elif defined(LAR_REAL_F32)
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  key = bits & sign ? ~(uint64_t)bits & all : bits | sign;
#else
  memcpy(&key, &x, sizeof key);
  key = key & sign ? ~key : key | sign;
#endif
#ifndef LAR_REAL_I64
  key = x == 0 ? sign : x != x ? all : key;
#endif
  return descending ? all - key : key;
}

/* ---- a few: runs of 16, then merged two by two ---- */

static void insertion(item *v, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    item x = v[i];
    int64_t k = i;
    for (; k > 0 && x.key < v[k - 1].key; k--) v[k] = v[k - 1];
    v[k] = x;
  }
}

static void merge(item *to, const item *a, int64_t na, const item *b, int64_t nb) {
  const item *a_end = a + na, *b_end = b + nb;
  while (a < a_end && b < b_end) {
    bool second = b->key < a->key;
    *to++ = *(second ? b : a);
    b += second;
    a += !second;
  }
  memcpy(to, a, (size_t)(a_end - a) * sizeof *to);
  memcpy(to + (a_end - a), b, (size_t)(b_end - b) * sizeof *to);
}

static const item *merged(item *v, item *w, int64_t n) {
  enum { RUN = 16 };
  for (int64_t at = 0; at < n; at += RUN) insertion(v + at, n - at < RUN ? n - at : RUN);
  for (int64_t run = RUN; run < n; run *= 2) {
    for (int64_t at = 0; at < n; at += 2 * run) {
      int64_t na = n - at < run ? n - at : run, nb = n - at - na < run ? n - at - na : run;
      merge(w + at, v + at, na, v + at + na, nb);
    }
    item *t = v;
    v = w;
    w = t;
  }
  return v;
}

/* ---- many: by their digits, the last one first ---- */

enum { BITS = 11, DIGITS = 1 << BITS, PASSES = (sizeof(real) * 8 + BITS - 1) / BITS };

static inline int64_t digit(uint64_t key, int pass) {
  return (int64_t)(key >> (pass * BITS)) & (DIGITS - 1);
}

static const item *by_digits(item *v, item *w, int64_t n) {
  int64_t count[PASSES][DIGITS] = {{0}};
  for (int64_t i = 0; i < n; i++)
    for (int p = 0; p < PASSES; p++) count[p][digit(v[i].key, p)]++;
  for (int p = 0; p < PASSES; p++) {
    int64_t *start = count[p], at = 0;
    if (start[digit(v[0].key, p)] == n) continue; /* all have the same */
    for (int d = 0; d < DIGITS; d++) {
      int64_t here = start[d];
      start[d] = at;
      at += here;
    }
    for (int64_t i = 0; i < n; i++) w[start[digit(v[i].key, p)]++] = v[i];
    item *t = v;
    v = w;
    w = t;
  }
  return v;
}

/* ---- the first few of many: kept in order on the way ---- */

static const item *first_few(const job *j, const real *x, item *best) {
  int64_t have = 0;
  uint64_t last = 0;
  for (int64_t i = 0; i < j->n; i++) {
    uint64_t key = key_of(x[i * j->inner], j->descending);
    if (have == j->most && key >= last) continue;
    int64_t k = have < j->most ? have++ : have - 1;
    for (; k > 0 && key < best[k - 1].key; k--) best[k] = best[k - 1];
    best[k] = (item){key, i + 1};
    last = best[have - 1].key;
  }
  return best;
}

static const item *ordered(const job *j, const real *x, item *v) {
  enum { FEW = 64, MANY = 1024 };
  if (j->most <= FEW && j->most * 4 <= j->n) return first_few(j, x, v);
  for (int64_t i = 0; i < j->n; i++)
    v[i] = (item){key_of(x[i * j->inner], j->descending), i + 1};
  return (j->n < MANY ? merged : by_digits)(v, v + j->n, j->n);
}

static void rows(void *ctx, int64_t task) {
  const job *j = ctx;
  int64_t end = (task + 1) * j->each < j->rows ? (task + 1) * j->each : j->rows;
  for (int64_t r = task * j->each; r < end; r++) {
    int64_t o = r / j->inner, c = r % j->inner;
    const item *y = ordered(j, j->x + o * j->n * j->inner + c, j->work + task * 2 * j->n);
    int64_t *place = j->place + o * j->most * j->inner + c;
    for (int64_t i = 0; i < j->most; i++) place[i * j->inner] = y[i].at;
  }
}

lar_status LAR_R(lar_argsort)(bool descending, int64_t *place, const void *x,
                              const int64_t sizes[3], int64_t most) {
  enum { TASKS = 64, ROOM = 1 << 19, LEAST = 4096 };
  job j = {descending, place, x, sizes[1], sizes[2], most, sizes[0] * sizes[2], 0, NULL};
  void *work;
  if (j.n == 0 || j.rows == 0 || most == 0) return LAR_OK;
  int64_t tasks = ROOM / j.n < TASKS ? ROOM / j.n : TASKS, few = LEAST / j.n + 1;
  j.each = tasks > 0 ? (j.rows + tasks - 1) / tasks : j.rows;
  if (j.each < few) j.each = few;
  tasks = (j.rows + j.each - 1) / j.each;
  LAR_TRY(lar_alloc_raw(&work, (size_t)(tasks * j.n) * 2, sizeof *j.work));
  j.work = work;
  lar_par_tasks(tasks, rows, &j);
  lar_free(work);
  return LAR_OK;
}

#ifdef LAR_REAL_I64
lar_status lar_argsort(bool descending, lar_dtype t, int64_t *place, const void *x,
                       const int64_t sizes[3], int64_t most) {
  return (t == LAR_F32   ? lar_argsort_f32
          : t == LAR_F64 ? lar_argsort_f64
                         : lar_argsort_i64)(descending, place, x, sizes, most);
}
#endif
