#include "kern/extreme.h"

#include "core/par.h"

void lar_extreme(bool largest, lar_dtype t, void *value, int64_t *place, const void *x,
                 const int64_t sizes[3]) {
  enum { GRAIN = 16384 };
  lar_extreme_job j = {largest, value, place, x, sizes[1], sizes[2]};
  int64_t grain = sizes[1] < GRAIN ? GRAIN / (sizes[1] + 1) + 1 : 1;
  lar_par_for(sizes[0] * sizes[2], grain,
              t == LAR_F32   ? lar_extreme_rows_f32
              : t == LAR_F64 ? lar_extreme_rows_f64
                             : lar_extreme_rows_i64,
              &j);
}
