#include "kern/scan.h"

#include "core/par.h"

void lar_scan(lar_scan_kind kind, bool reverse, lar_dtype t, void *y, const void *x,
              const void *a, const int64_t sizes[3]) {
  lar_scan_job j = {kind, reverse, y, x, a, sizes[1], sizes[2]};
  if (sizes[1] == 0) return;
  int64_t grain = 16384 / (sizes[1] + 1) + 1;
  if (sizes[2] > 1) grain = (grain + LAR_SCAN_PANEL - 1) / LAR_SCAN_PANEL * LAR_SCAN_PANEL;
  lar_par_for(sizes[0] * sizes[2], grain,
              t == LAR_F32   ? lar_scan_rows_f32
              : t == LAR_F64 ? lar_scan_rows_f64
                             : lar_scan_rows_i64,
              &j);
}
