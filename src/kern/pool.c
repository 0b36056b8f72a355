#include "kern/pool.h"

#include "kern/pool_planes.h"

static void run(const lar_pool *v, lar_par_body *body, void *to, const void *from,
                const void *x) {
  enum { GRAIN = 1 << 14 };
  lar_pool_job j = {v, to, from, x};
  lar_par_for(v->planes, GRAIN / (v->size[0] * v->size[1] + 1) + 1, body, &j);
}

bool lar_pool_in_pairs(const lar_pool *v) {
  for (int d = 0; d < 2; d++)
    if (v->kernel[d] != 2 || v->stride[d] != 2 || v->pad[d] != 0 || v->dilation[d] != 1 ||
        v->out[d] * 2 > v->size[d])
      return false;
  return true;
}

#define OF(name, t) ((t) == LAR_F32 ? name##_f32 : name##_f64)

void lar_pool_max(const lar_pool *v, lar_dtype t, void *y, const void *x) {
  run(v, OF(lar_pool_max, t), y, NULL, x);
}

void lar_pool_max_spread(const lar_pool *v, lar_dtype t, void *to, const void *y,
                         const void *x) {
  run(v, OF(lar_pool_max_spread, t), to, y, x);
}

void lar_pool_max_pick(const lar_pool *v, lar_dtype t, void *y, const void *u, const void *x) {
  run(v, OF(lar_pool_max_pick, t), y, u, x);
}

void lar_pool_mean(const lar_pool *v, lar_dtype t, void *y, const void *x) {
  run(v, OF(lar_pool_mean, t), y, NULL, x);
}

void lar_pool_mean_spread(const lar_pool *v, lar_dtype t, void *to, const void *y) {
  run(v, OF(lar_pool_mean_spread, t), to, y, NULL);
}
