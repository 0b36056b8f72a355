#include "kern/softmax.h"

#include "core/par.h"

void lar_softmax(lar_softmax_kind kind, lar_dtype t, void *out, const void *x,
                 const int64_t sizes[3]) {
  enum { GRAIN = 4096 };
  lar_softmax_job j = {kind, out, x, sizes[1], sizes[2]};
  bool rows = sizes[2] == 1;
  int64_t panels = (sizes[2] + LAR_SOFTMAX_PANEL - 1) / LAR_SOFTMAX_PANEL;
  int64_t each = sizes[1] * (rows ? 1 : LAR_SOFTMAX_PANEL) + 1;
  lar_par_body *body = t == LAR_F32 ? rows ? lar_softmax_rows_f32 : lar_softmax_panels_f32
                       : rows       ? lar_softmax_rows_f64
                                    : lar_softmax_panels_f64;
  int64_t units = sizes[0] * panels;
  if (units < LAR_PAR_LEAST && units * each > LAR_PAR_LEAST * GRAIN)
    lar_par_shares(units, body, &j); /* few, but large */
  else
    lar_par_for(units, GRAIN / each + 1, body, &j);
}
