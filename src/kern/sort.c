#include "kern/sort.h"

#include <string.h>

#include "core/mem.h"
#include "core/number.h"

typedef struct item {
  real x;
  int64_t at;
} item;

#ifdef LAR_REAL_I64
static bool less(real a, real b) { return a < b; }
#else
static bool less(real a, real b) { return a < b || (b != b && a == a); }
#endif

/* Must b, which came after a, go before it? */
static bool wrong(const item *a, const item *b, bool descending) {
  return descending ? less(a->x, b->x) : less(b->x, a->x);
}

static void insertion(item *v, int64_t n, bool descending) {
  for (int64_t i = 1; i < n; i++) {
    item x = v[i];
    int64_t k = i;
    for (; k > 0 && wrong(&v[k - 1], &x, descending); k--) v[k] = v[k - 1];
    v[k] = x;
  }
}

static void merge(item *to, const item *a, int64_t na, const item *b, int64_t nb,
                  bool descending) {
  while (na > 0 && nb > 0)
    if (wrong(a, b, descending))
      *to++ = *b++, nb--;
    else
      *to++ = *a++, na--;
  memcpy(to, a, (size_t)na * sizeof *to);
  memcpy(to + na, b, (size_t)nb * sizeof *to);
}

/* Runs of 16, then merged two by two between v and w; where the result lies. */
static const item *sorted(item *v, item *w, int64_t n, bool descending) {
  enum { RUN = 16 };
  for (int64_t at = 0; at < n; at += RUN)
    insertion(v + at, n - at < RUN ? n - at : RUN, descending);
  for (int64_t run = RUN; run < n; run *= 2) {
    for (int64_t at = 0; at < n; at += 2 * run) {
      int64_t na = n - at < run ? n - at : run, nb = n - at - na < run ? n - at - na : run;
      merge(w + at, v + at, na, v + at + na, nb, descending);
    }
    item *t = v;
    v = w;
    w = t;
  }
  return v;
}

lar_status LAR_R(lar_argsort)(bool descending, int64_t *place, const void *xv,
                              const int64_t sizes[3]) {
  int64_t n = sizes[1], inner = sizes[2];
  void *work;
  LAR_TRY(lar_alloc_raw(&work, (size_t)n * 2, sizeof(item)));
  for (int64_t r = 0; r < sizes[0] * inner && n > 0; r++) {
    int64_t at = (r / inner) * n * inner + r % inner;
    const real *x = (const real *)xv + at;
    item *v = work;
    for (int64_t i = 0; i < n; i++) v[i] = (item){x[i * inner], i + 1};
    const item *y = sorted(v, v + n, n, descending);
    for (int64_t i = 0; i < n; i++) place[at + i * inner] = y[i].at;
  }
  lar_free(work);
  return LAR_OK;
}

#ifdef LAR_REAL_I64
lar_status lar_argsort(bool descending, lar_dtype t, int64_t *place, const void *x,
                       const int64_t sizes[3]) {
  return (t == LAR_F32   ? lar_argsort_f32
          : t == LAR_F64 ? lar_argsort_f64
                         : lar_argsort_i64)(descending, place, x, sizes);
}
#endif
