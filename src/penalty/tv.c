#include "penalty/tv.h"

#include "core/par.h"

enum { WORK = 32768, PARTS = 256 };

static int64_t length(const lar_tensor *w) { return w->ndim > 0 ? w->shape[w->ndim - 1] : 1; }

static void run(lar_par_body *f32, lar_par_body *f64, const lar_tensor *w, int64_t n,
                lar_tv_job *job) {
  lar_par_for(n, job->grain, w->dtype == LAR_F32 ? f32 : f64, job);
}

double lar_tv_value(const lar_tensor *w) {
  double part[PARTS] = {0}, sum = 0;
  int64_t n = lar_tensor_numel(w), grain = (n + PARTS - 1) / PARTS;
  lar_tv_job job = {.w = lar_tensor_data(w), .n = length(w), .part = part};
  job.grain = grain < WORK ? WORK : grain;
  run(lar_tv_values_f32, lar_tv_values_f64, w, n, &job);
  for (int k = 0; k < PARTS; k++) sum += part[k];
  return sum;
}

void lar_tv_grad(const lar_tensor *w, double l, const lar_tensor *g) {
  lar_tv_job job = {.w = lar_tensor_data(w), .g = lar_tensor_data(g), .n = length(w), .l = l};
  job.grain = WORK;
  run(lar_tv_grads_f32, lar_tv_grads_f64, w, lar_tensor_numel(w), &job);
}

/* Rows are cut into chunks of some ten thousand coordinates; long ones go one by one. */
lar_status lar_tv_prox(const lar_tensor *w, double l, double step, const lar_tensor *metric,
                       double soft) {
  lar_tv_job job = {
    .w = lar_tensor_data(w), .n = length(w), .l = l, .step = step, .soft = soft};
  int64_t rows = job.n > 0 ? lar_tensor_numel(w) / job.n : 0;
  job.grain = WORK / (job.n + 1) + 1;
  if (metric != NULL) job.metric = lar_tensor_data(metric);
  if (job.n < LAR_TV_LONG)
    run(lar_tv_proxes_f32, lar_tv_proxes_f64, w, rows, &job);
  else
    for (int64_t k = 0; k < rows; k++)
      LAR_TRY((w->dtype == LAR_F32 ? lar_tv_long_f32 : lar_tv_long_f64)(&job, k));
  return job.starved ? lar_fail(LAR_ENOMEM, "not enough memory") : LAR_OK;
}
