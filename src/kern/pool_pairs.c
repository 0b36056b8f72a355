/* Windows of 2 by 2 side by side, the most frequent, in registers: a plane at a time. */
#include <string.h>

#include "core/real.h"
#include "kern/pool_planes.h"
#include "kern/pool_quad.h"

/* ---- LANES windows ---- */

/* What a row of windows reads and writes: two rows of a plane each, and one of windows. */
typedef struct row {
  const real *a, *b, *g; /* of x; of what is given back */
  const unsigned char *code;
  real *ga, *gb, *y;
} row;

typedef unsigned char bytes __attribute__((vector_size(LANES)));
typedef void windows(bool clip, const row *r);

ALWAYS quad quad_load(const real *a, const real *b) {
  vec a0 = vec_load(a), a1 = vec_load(a + LANES), b0 = vec_load(b), b1 = vec_load(b + LANES);
  return (quad){vec_even(a0, a1), vec_odd(a0, a1), vec_even(b0, b1), vec_odd(b0, b1)};
}

/* The largest of each window. */
static void max_some(bool clip, const row *r) {
  quad x = quad_load(r->a, r->b);
  (void)clip;
  vec_store(r->y, quad_find(&x).value);
}

/* Each element gets g where it is the window's largest, in the order of `find`. */
static void spread_some(bool clip, const row *r) {
  quad x = quad_load(r->a, r->b);
  quad_top t = quad_find(&x);
  vec g = vec_load(r->g);
  if (clip) g = quad_where((vec_mask)(t.value > 0), g);
  vec_zip(r->ga, quad_where(~t.below & ~t.pq, g), quad_where(~t.below & t.pq, g));
  vec_zip(r->gb, quad_where(t.below & ~t.rs, g), quad_where(t.below & t.rs, g));
}

/* The same, from codes. */
static void decode_some(bool clip, const row *r) {
  vec g = vec_load(r->g), zero = {0};
  bytes from;
  memcpy(&from, r->code, sizeof from);
  vec_mask code = __builtin_convertvector(from, vec_mask);
  if (clip) g = (vec)((code < LAR_POOL_CLIPPED) & (vec_mask)g);
  code &= LAR_POOL_PLACE;
  vec_zip(r->ga, quad_choose(code == 0, g, zero), quad_choose(code == 1, g, zero));
  vec_zip(r->gb, quad_choose(code == 2, g, zero), quad_choose(code == 3, g, zero));
}

/* ---- a row of windows ---- */

/* The row with its places moved on by n windows. */
static row moved(const row *r, int64_t n) {
  row m = *r;
  if (r->a != NULL) m.a += 2 * n, m.b += 2 * n;
  if (r->g != NULL) m.g += n, m.ga += 2 * n, m.gb += 2 * n;
  if (r->code != NULL) m.code += n;
  if (r->y != NULL) m.y += n;
  return m;
}

/* Fewer windows than a register holds, in a copy. */
static void copied(bool clip, int64_t n, windows *some, const row *r) {
  real a[2 * LANES] = {0}, b[2 * LANES] = {0}, g[LANES] = {0}, ga[2 * LANES], gb[2 * LANES];
  unsigned char code[LANES] = {0};
  size_t size = (size_t)n * sizeof(real);
  row c = {a, b, g, code, ga, gb, g};
  if (r->a != NULL) memcpy(a, r->a, 2 * size), memcpy(b, r->b, 2 * size);
  if (r->g != NULL) memcpy(g, r->g, size);
  if (r->code != NULL) memcpy(code, r->code, (size_t)n);
  some(clip, &c);
  if (r->y != NULL) memcpy(r->y, g, size);
  if (r->g != NULL) memcpy(r->ga, ga, 2 * size), memcpy(r->gb, gb, 2 * size);
}

/* n windows: whole registers, the last of them over places that were done before. A row that
 * fills none goes on into the next ones where the plane has `room`: they are written later. */
ALWAYS void in_row(bool clip, int64_t n, bool room, windows *some, const row *r) {
  for (int64_t i = 0; i + LANES <= n; i += LANES) {
    row m = moved(r, i);
    some(clip, &m);
  }
  if (n % LANES == 0) return;
  if (n > LANES) {
    row m = moved(r, n - LANES);
    some(clip, &m);
  } else if (room) {
    some(clip, r);
  } else {
    copied(clip, n, some, r);
  }
}

/* ---- a plane ---- */

/* Do rows of windows from row i on hold a register? Then two rows of the plane hold two. */
static bool room(const lar_pool *v, int64_t i) { return (v->out[0] - i) * v->out[1] >= LANES; }

void LAR_R(lar_pairs_max)(const lar_pool *v, real *y, const real *x) {
  int64_t w = v->size[1], n = v->out[1];
  for (int64_t i = 0; i < v->out[0]; i++) {
    row r = {.a = x + 2 * i * w, .b = x + (2 * i + 1) * w, .y = y + i * n};
    in_row(false, n, room(v, i), max_some, &r);
  }
}

ALWAYS void back(const lar_pool *v, real *to, const real *g, const real *x,
                 const unsigned char *code, windows *some) {
  int64_t w = v->size[1], n = v->out[1];
  for (int64_t i = 0; i < v->out[0]; i++) {
    real *ga = to + 2 * i * w;
    row r = {.g = g + i * n, .ga = ga, .gb = ga + w};
    if (x != NULL) r.a = x + 2 * i * w, r.b = r.a + w;
    if (code != NULL) r.code = code + i * n;
    in_row(v->clip, n, room(v, i), some, &r);
    if (w % 2 != 0) ga[w - 1] = ga[2 * w - 1] = 0;
  }
  if (v->size[0] % 2 != 0) memset(to + (v->size[0] - 1) * w, 0, (size_t)w * sizeof(real));
}

void LAR_R(lar_pairs_spread)(const lar_pool *v, real *to, const real *g, const real *x) {
  back(v, to, g, x, NULL, spread_some);
}

void LAR_R(lar_pairs_decode)(const lar_pool *v, real *to, const real *g,
                             const unsigned char *code) {
  back(v, to, g, NULL, code, decode_some);
}
