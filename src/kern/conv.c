#include "kern/conv.h"

#include "core/mem.h"
#include "core/par.h"
#include "kern/conv_work.h"

/* ---- scratch ---- */

lar_status lar_scratch_init(lar_scratch *s, size_t bytes) {
  void *p;
  *s = (lar_scratch){.bytes = (bytes + 63) & ~(size_t)63, .slots = lar_par_threads()};
  LAR_TRY(lar_alloc_raw(&p, (size_t)s->slots, s->bytes + sizeof(atomic_int)));
  s->data = p;
  s->taken = (atomic_int *)((char *)p + (size_t)s->slots * s->bytes);
  for (int k = 0; k < s->slots; k++) atomic_init(&s->taken[k], 0);
  return LAR_OK;
}

void lar_scratch_clear(lar_scratch *s) {
  lar_free(s->data);
  *s = (lar_scratch){0};
}

/* There are as many slots as threads, so one is free. */
void *lar_scratch_take(lar_scratch *s, int *slot) {
  for (int k = 0;; k = (k + 1) % s->slots)
    if (atomic_exchange_explicit(&s->taken[k], 1, memory_order_acquire) == 0) {
      *slot = k;
      return (char *)s->data + (size_t)k * s->bytes;
    }
}

void lar_scratch_give(lar_scratch *s, int slot) {
  atomic_store_explicit(&s->taken[slot], 0, memory_order_release);
}

/* ---- planes ---- */

int64_t lar_planes_count(const lar_planes *p, int64_t channels) {
  return channels * p->phases[0] * p->phases[1] * p->rows * p->width;
}

static int64_t gcd(int64_t a, int64_t b) { return b == 0 ? a : gcd(b, a % b); }

/* Taps lie `dilation` apart, so the phases of the stride that they meet are multiples of the
 * divisor that both have in common. */
void lar_conv_planes(const lar_conv *v, int64_t rows, lar_planes *p) {
  int64_t reach[2];
  for (int d = 0; d < 2; d++) {
    p->size[d] = v->size[d];
    p->stride[d] = v->stride[d];
    p->pad[d] = v->pad[d];
    p->gap[d] = gcd(v->stride[d], v->dilation[d]);
    p->phases[d] = v->stride[d] / p->gap[d];
    reach[d] = (v->kernel[d] - 1) * v->dilation[d] / v->stride[d];
  }
  p->rows = rows + reach[0];
  p->width = v->out[1] + reach[1];
}

void lar_conv_offsets(const lar_conv *v, const lar_planes *p, int64_t channels, int64_t *off) {
  for (int64_t c = 0; c < channels; c++)
    for (int64_t a = 0; a < v->kernel[0]; a++)
      for (int64_t b = 0; b < v->kernel[1]; b++) {
        int64_t at[2] = {a * v->dilation[0], b * v->dilation[1]}, phase[2], step[2];
        for (int d = 0; d < 2; d++) {
          phase[d] = at[d] % v->stride[d] / p->gap[d];
          step[d] = at[d] / v->stride[d];
        }
        int64_t plane = (c * p->phases[0] + phase[0]) * p->phases[1] + phase[1];
        *off++ = (plane * p->rows + step[0]) * p->width + step[1];
      }
}

/* ---- pieces of work ---- */

int64_t lar_conv_rows(int64_t rows, int64_t bytes, int64_t others) {
  enum { MOST = 512 << 10, PIECES = LAR_PAR_LEAST };
  int64_t fit = MOST / (bytes + 1) + 1, parts = lar_ceil_div(PIECES, others > 0 ? others : 1);
  int64_t few = lar_ceil_div(rows, parts);
  return fit < few ? fit : few > 0 ? few : 1;
}

int64_t lar_conv_grain(int64_t work) {
  enum { LEAST = 1 << 16 };
  return work < LEAST ? LEAST / (work + 1) + 1 : 1;
}

typedef struct pieces {
  lar_par_body *body;
  void *ctx;
} pieces;

static void one_piece(void *ctx, int64_t k) {
  const pieces *p = ctx;
  p->body(p->ctx, k, k + 1);
}

void lar_conv_run(int64_t n, int64_t work, lar_par_body *body, void *ctx) {
  enum { LARGE = 1 << 20 };
  pieces p = {body, ctx};
  if (work >= LARGE)
    lar_par_tasks(n, one_piece, &p);
  else
    lar_par_for(n, lar_conv_grain(work), body, ctx);
}

/* ---- by shape and dtype ---- */

/* Kernels of 3 by 3 and stride 1 with channels enough that transforms cost less than they save.
 */
static bool few(const lar_conv *v) {
  enum { CHANNELS = 16 };
  for (int d = 0; d < 2; d++)
    if (v->kernel[d] != 3 || v->stride[d] != 1 || v->dilation[d] != 1 || v->out[d] < 2 ||
        v->pad[d] > 2)
      return false;
  return v->c >= CHANNELS && v->o >= CHANNELS;
}

#define BY(name, v, t)                                                               \
  (few(v) ? ((t) == LAR_F32 ? lar_winograd_##name##_f32 : lar_winograd_##name##_f64) \
          : ((t) == LAR_F32 ? lar_conv_##name##_f32 : lar_conv_##name##_f64))

lar_status lar_conv_output(const lar_conv *v, lar_dtype t, void *y, const void *x,
                           const void *w, const void *bias) {
  return BY(output, v, t)(v, y, x, w, bias);
}

lar_status lar_conv_input(const lar_conv *v, lar_dtype t, void *x, const void *g,
                          const void *w) {
  return BY(input, v, t)(v, x, g, w);
}

bool lar_conv_pools(const lar_conv *v) { return few(v); }

lar_status lar_conv_weight(const lar_conv *v, lar_dtype t, void *w, const void *x,
                           const void *g) {
  return BY(weight, v, t)(v, w, x, g);
}
