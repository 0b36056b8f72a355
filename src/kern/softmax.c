#include "kern/softmax.h"

#include "core/par.h"

void lar_softmax(lar_softmax_kind kind, lar_dtype t, void *out, const void *x,
                 const int64_t sizes[3]) {
  enum { GRAIN = 4096 };
  lar_softmax_job j = {kind, out, x, sizes[1], sizes[2]};
  int64_t grain = sizes[1] < GRAIN ? GRAIN / (sizes[1] + 1) : 1;
  lar_par_for(sizes[0] * sizes[2], grain,
              t == LAR_F32 ? lar_softmax_rows_f32 : lar_softmax_rows_f64, &j);
}
