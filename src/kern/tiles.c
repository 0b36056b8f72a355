#include "kern/tiles.h"

#include "core/mem.h"
#include "core/real.h"
#include "kern/conv_vec.h"

/* Tiles of up to ROWS by WIDTH; MOST_K terms at most, so that some panels fit into CACHED
 * reals of the second cache. */
enum {
  ROWS = LAR_VEC_MANY ? 14 : 6,
  WIDTH = 2 * LANES,
  TALL = (ROWS + LANES - 1) / LANES * LANES
};
enum { MOST_K = 2048, CACHED = (768 << 10) / (int)sizeof(real) };

/* Products of so many multiplications are worth these tiles; where rows meet rows, at which
 * BLAS is slow when they are few; and a second thread. */
enum { LEAST = 1 << 15, LEAST_BY_ROWS = 1 << 12, SHARED = 1 << 19 };

static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t over(int64_t a, int64_t b) { return (a + b - 1) / b; }
static int64_t registers(int64_t n) { return over(n, LANES); }

/* ---- tiles ---- */

typedef struct tile {
  int64_t k;
  const real *a;
  int64_t next; /* from a row of a to the next, or from a column to the next */
  const real *b;
  real *out; /* the tile, rows `apart` */
  int64_t apart;
} tile;

#define UNROLL _Pragma("GCC unroll 16")

/* m rows by n registers, all constants where it is called; a lies by rows or by columns. */
ALWAYS void sum_tile(int m, int n, bool by_row, const tile *t) {
  vec acc[ROWS][2];
  const real *a = t->a, *b = t->b;
  int64_t down = by_row ? t->next : 1, right = by_row ? 1 : t->next;
  UNROLL for (int i = 0; i < m; i++) UNROLL for (int j = 0; j < n; j++) acc[i][j] = (vec){0};
  for (int64_t p = 0; p < t->k; p++, a += right, b += n * LANES) {
    vec y[2];
    UNROLL for (int j = 0; j < n; j++) y[j] = *(const vec *)(b + j * LANES);
    UNROLL for (int i = 0; i < m; i++) {
      vec w = vec_all(a[i * down]);
      UNROLL for (int j = 0; j < n; j++) acc[i][j] += w * y[j];
    }
  }
  UNROLL for (int i = 0; i < m; i++) UNROLL for (int j = 0; j < n; j++)
    vec_store(t->out + i * t->apart + j * LANES, acc[i][j]);
}

typedef void tile_fn(const tile *t);
#define TILE_FN(m, n)                                                    \
  static void rows_##m##_##n(const tile *t) { sum_tile(m, n, true, t); } \
  static void columns_##m##_##n(const tile *t) { sum_tile(m, n, false, t); }
#define TILE_FNS(m) TILE_FN(m, 1) TILE_FN(m, 2)
#define TILE_ROW(m)                                                    \
  {                                                                    \
    {columns_##m##_1, columns_##m##_2}, { rows_##m##_1, rows_##m##_2 } \
  }
/* clang-format off */
TILE_FNS(1) TILE_FNS(2) TILE_FNS(3) TILE_FNS(4) TILE_FNS(5) TILE_FNS(6)
#if LAR_VEC_MANY
TILE_FNS(7) TILE_FNS(8) TILE_FNS(9) TILE_FNS(10) TILE_FNS(11) TILE_FNS(12) TILE_FNS(13) TILE_FNS(14)
#endif
static tile_fn *const tiles[ROWS][2][2] = {
  TILE_ROW(1), TILE_ROW(2), TILE_ROW(3), TILE_ROW(4), TILE_ROW(5), TILE_ROW(6),
#if LAR_VEC_MANY
  TILE_ROW(7), TILE_ROW(8), TILE_ROW(9), TILE_ROW(10), TILE_ROW(11), TILE_ROW(12), TILE_ROW(13),
  TILE_ROW(14),
#endif
};
/* clang-format on */

/* ---- packing ---- */

typedef real half
  __attribute__((vector_size(LAR_VEC_BYTES / 2), may_alias, aligned(sizeof(real))));

/* n reals, of 2 LANES at most, by two registers or two halves that may overlap. */
static void copy(int64_t n, const real *from, real *to) {
  enum { HALF = LANES / 2 };
  if (n >= LANES) {
    vec first = vec_load(from), last = vec_load(from + n - LANES);
    vec_store(to, first), vec_store(to + n - LANES, last);
  } else if (n >= HALF) {
    half first = *(const half *)from, last = *(const half *)(from + n - HALF);
    *(half *)to = first, *(half *)(to + n - HALF) = last;
  } else {
    for (int64_t i = 0; i < n; i++) to[i] = from[i];
  }
}

/* n columns of k reals each, LANES at most of either, turned over: zeros stand for the columns
 * that are missing, and what comes out goes through memory where rows are missing. */
static void turn_few(const real *from, int64_t n, int64_t apart, int64_t k, real *to,
                     int64_t to_apart) {
  _Alignas(64) real all[LANES * LANES] = {0}, turned[LANES * LANES];
  for (int64_t j = 0; j < n; j++) copy(k, from + j * apart, all + j * LANES);
  if (k == LANES) {
    vec_turn(all, LANES, to, to_apart);
    return;
  }
  vec_turn(all, LANES, turned, LANES);
  for (int64_t p = 0; p < k; p++) vec_store(to + p * to_apart, vec_load(turned + p * LANES));
}

/* Columns [0, n) of b in a register's width, zeros after them; rows of the panel are `apart`.
 */
static void pack_part(const lar_grid *b, int64_t k, int64_t n, real *to, int64_t apart) {
  const real *from = b->at;
  if (n == LANES && b->right == 1)
    for (int64_t p = 0; p < k; p++) vec_store(to + p * apart, vec_load(from + p * b->down));
  else if (b->down == 1 && n == LANES && k == LANES)
    vec_turn(from, b->right, to, apart);
  else if (b->down == 1)
    turn_few(from, n, b->right, k, to, apart);
  else
    for (int64_t p = 0; p < k; p++)
      for (int64_t j = 0; j < LANES; j++)
        to[p * apart + j] = j < n ? from[p * b->down + j * b->right] : 0;
}

/* ---- products ---- */

typedef struct job {
  lar_product p;
  int64_t from, columns; /* of the columns at hand */
  int64_t rows;          /* tiles down */
  real *packed, *a;      /* those columns of b; the tiles of a, or NULL: read where they lie */
} job;

static int64_t tile_row(const job *j, int64_t r) { return r * j->p.m / j->rows; }
static int64_t tile_rows(const job *j, int64_t r) {
  return tile_row(j, r + 1) - tile_row(j, r);
}

static void pack_panels(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  int64_t k = j->p.k;
  for (int64_t p = 0; p < k; p += LANES)
    for (int64_t at = begin; at < end; at++) {
      int64_t left = j->columns - at * WIDTH, wide = left > LANES ? WIDTH : LANES;
      for (int64_t r = 0; r < wide; r += LANES) {
        lar_grid b = j->p.b;
        b.at = (real *)b.at + (j->from + at * WIDTH + r) * b.right + p * b.down;
        pack_part(&b, min(k - p, LANES), min(left - r, LANES),
                  j->packed + at * WIDTH * k + p * wide + r, wide);
      }
    }
}

/* A tile that is not written as it stands: turned over, or cut off. */
static void put(const real *from, int64_t m, int64_t n, const lar_grid *c) {
  real turned[WIDTH * TALL], *to = c->at;
  if (c->right == 1) {
    for (int64_t i = 0; i < m; i++) copy(n, from + i * WIDTH, to + i * c->down);
    return;
  }
  for (int64_t i = 0; i < m; i += LANES)
    for (int64_t j = 0; j < n; j += LANES)
      vec_turn(from + i * WIDTH + j, WIDTH, turned + j * TALL + i, TALL);
  for (int64_t j = 0; j < n; j++) copy(m, turned + j * TALL, to + j * c->right);
}

/* Tiles of a that lies by columns, made to lie by rows: a row of a tile is far from the next,
 * and they would drive each other out of the cache. */
static void pack_tiles(const job *j, int64_t begin, int64_t end) {
  const lar_product *p = &j->p;
  const real *from = p->a.at;
  for (int64_t q = 0; q < p->k; q++, from += p->a.right)
    for (int64_t r = begin; r < end; r++)
      copy(tile_rows(j, r), from + tile_row(j, r), j->a + (r * p->k + q) * TALL);
}

static void make_tile(const job *j, int64_t r, int64_t panel) {
  const lar_product *p = &j->p;
  _Alignas(64) real own[TALL * WIDTH];
  int64_t n = min(WIDTH, j->columns - panel * WIDTH), wide = registers(n), row = tile_row(j, r);
  bool by_row = p->a.right == 1, straight = p->c.right == 1 && n == wide * LANES;
  lar_grid c = p->c;
  c.at = (real *)c.at + row * c.down + (j->from + panel * WIDTH) * c.right;
  tile t = {.k = p->k,
            .a = by_row ? (const real *)p->a.at + row * p->a.down : j->a + r * p->k * TALL,
            .next = by_row ? p->a.down : TALL,
            .b = j->packed + panel * WIDTH * p->k,
            .out = straight ? c.at : own,
            .apart = straight ? c.down : WIDTH};
  tiles[tile_rows(j, r) - 1][by_row][wide - 1](&t);
  if (!straight) put(own, tile_rows(j, r), n, &c);
}

static void make_tiles(const job *j, int64_t row, int64_t rows, int64_t panel, int64_t panels) {
  for (int64_t r = row; r < rows; r++)
    for (int64_t q = panel; q < panels; q++) make_tile(j, r, q);
}

/* By tiles down, all panels that there are; or by panels, all tiles. */
static void some_rows(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  if (j->a != NULL && j->from == 0) pack_tiles(j, begin, end);
  make_tiles(j, begin, end, 0, over(j->columns, WIDTH));
}

static void some_panels(void *ctx, int64_t begin, int64_t end) {
  pack_panels(ctx, begin, end);
  make_tiles(ctx, 0, ((const job *)ctx)->rows, begin, end);
}

/* ---- a matrix times a vector ---- */

/* m rows, a constant where it is called: LANES sums of every LANES-th product for each, joined
 * in pairs, and what is left at the end. */
ALWAYS void some_dots(int m, const lar_product *p, int64_t row) {
  vec acc[4];
  const real *a = (const real *)p->a.at + row * p->a.down, *x = p->b.at;
  real rest[4] = {0}, *to = (real *)p->c.at + row * p->c.down;
  int64_t q = 0;
  UNROLL for (int i = 0; i < m; i++) acc[i] = (vec){0};
  for (; q + LANES <= p->k; q += LANES)
    UNROLL for (int i = 0; i < m; i++) acc[i] +=
      vec_load(a + i * p->a.down + q) * vec_load(x + q);
  for (; q < p->k; q++)
    for (int i = 0; i < m; i++) rest[i] += a[i * p->a.down + q] * x[q];
  for (int i = 0; i < m; i++) {
    for (int pairs = LANES / 2; pairs > 0; pairs /= 2)
      for (int l = 0; l < pairs; l++) acc[i][l] += acc[i][l + pairs];
    to[i * p->c.down] = acc[i][0] + rest[i];
  }
}

static void dots(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  for (; begin + 4 <= end; begin += 4) some_dots(4, &j->p, begin);
  for (; begin < end; begin++) some_dots(1, &j->p, begin);
}

/* Long rows by one column without gaps. */
static bool is_vector(const lar_product *p) {
  return p->n == 1 && p->m > 1 && p->a.right == 1 && p->b.down == 1;
}

/* ---- which way ---- */

/* c^T = b^T a^T */
static lar_product turned(const lar_product *p) {
  lar_product t = {.m = p->n, .n = p->m, .k = p->k, .a = p->b, .b = p->a, .c = p->c};
  lar_grid *const all[] = {&t.a, &t.b, &t.c};
  for (int k = 0; k < 3; k++) {
    int64_t down = all[k]->down;
    all[k]->down = all[k]->right;
    all[k]->right = down;
  }
  return t;
}

/* In some unit: multiplications, in whole registers; packing; what is written and turned. */
static double cost(const lar_product *p) {
  double wide = (double)registers(p->n) * LANES, k = (double)p->k, m = (double)p->m;
  double pack = wide * k * (p->b.right == 1 ? 8 : 16) + (p->a.right == 1 ? 0 : m * k * 8);
  return m * wide * k + pack + (p->c.right == 1 ? 0 : 12 * m * wide);
}

static bool reads(const lar_product *p) {
  return (p->a.right == 1 || p->a.down == 1) && (p->c.right == 1 || p->c.down == 1);
}

bool LAR_R(lar_tiles_take)(const lar_product *p) {
  double work = (double)p->m * (double)p->n * (double)p->k;
  lar_product t = turned(p);
  bool by_rows = p->a.right == 1 && p->b.down == 1 && p->m >= LANES && p->n >= LANES;
  if (work < (by_rows ? LEAST_BY_ROWS : LEAST) || !LAR_VEC_MANY) return false;
  if (p->m == 1 || p->n == 1) return is_vector(p) || is_vector(&t);
  return p->k <= MOST_K && (reads(p) || reads(&t));
}

static void share(int64_t n, bool shared, lar_par_body *body, job *j) {
  if (shared)
    lar_par_shares(n, body, j);
  else
    body(j, 0, n);
}

static lar_status times_vector(const lar_product *p) {
  job j = {.p = *p};
  share(p->m, p->m * p->k >= SHARED / 8, dots, &j);
  return LAR_OK;
}

static lar_status make_room(job *j, int64_t columns) {
  void *p;
  LAR_TRY(lar_alloc_raw(&p, (size_t)(columns * j->p.k), sizeof(real)));
  j->packed = p;
  if (j->p.a.right == 1) return LAR_OK;
  lar_status st = lar_alloc_raw(&p, (size_t)(j->rows * TALL * j->p.k), sizeof(real));
  j->a = p;
  if (st != LAR_OK) lar_free(j->packed);
  return st;
}

/* Columns at a time that stay in the cache, packed. */
static int64_t at_once(const lar_product *p) {
  int64_t panels = over(p->n, WIDTH), fit = CACHED / WIDTH / p->k;
  return over(panels, over(panels, fit)) * WIDTH;
}

lar_status LAR_R(lar_tiles_run)(const lar_product *product) {
  lar_product t = turned(product);
  if (product->m == 1 || product->n == 1)
    return times_vector(is_vector(product) ? product : &t);
  bool turns = reads(&t) && (!reads(product) || cost(&t) < cost(product));
  job j = {.p = turns ? t : *product};
  int64_t each = at_once(&j.p);
  bool shared = (double)j.p.m * (double)j.p.n * (double)j.p.k >= SHARED;
  bool by_panels = j.p.a.right == 1 && j.p.n > j.p.m;
  j.rows = min(2 * over(j.p.m, 2 * ROWS), j.p.m); /* as many for each of two threads */
  LAR_TRY(make_room(&j, each));
  for (; j.from < j.p.n; j.from += each) {
    j.columns = min(each, j.p.n - j.from);
    if (!by_panels) share(over(j.columns, WIDTH), shared, pack_panels, &j);
    if (by_panels)
      share(over(j.columns, WIDTH), shared, some_panels, &j);
    else
      share(j.rows, shared, some_rows, &j);
  }
  lar_free(j.packed);
  lar_free(j.a);
  return LAR_OK;
}

/* ---- some rows at a time ---- */

int64_t LAR_R(lar_tiles_room)(const lar_product *p) { return over(p->n, WIDTH) * WIDTH * p->k; }

static job rows_job(const lar_product *p, const void *packed) {
  return (job){.p = *p, .columns = p->n, .packed = (real *)(uintptr_t)packed};
}

void LAR_R(lar_tiles_pack)(const lar_product *p, void *packed) {
  job j = rows_job(p, packed);
  share(over(p->n, WIDTH), p->n * p->k >= SHARED / 16, pack_panels, &j);
}

void LAR_R(lar_tiles_rows)(const lar_product *p, const void *packed, int64_t from, int64_t rows,
                           void *to) {
  _Alignas(64) real tile_of_a[LAR_TILES_FEW * TALL];
  int64_t pieces = over(rows, ROWS);
  for (int64_t at = 0; at < pieces; at++) {
    int64_t row = at * rows / pieces;
    job j = rows_job(p, packed);
    j.rows = 1;
    j.a = tile_of_a;
    j.p.m = (at + 1) * rows / pieces - row;
    j.p.a.at = (real *)p->a.at + (from + row) * p->a.down;
    j.p.c = (lar_grid){(real *)to + row * p->n, p->n, 1};
    if (p->a.right != 1) pack_tiles(&j, 0, 1);
    make_tiles(&j, 0, 1, 0, over(p->n, WIDTH));
  }
}
