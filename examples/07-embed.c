/* lariat from C: lasso by proximal gradient descent, with a derived gradient. `make check`
 * builds and runs this against the static and the shared library. */
#include <stdio.h>

#include "lariat.h"

enum { ROWS = 200, COLS = 8, STEPS = 500 };

static lar_status run(void) {
  lar_var *x, *w, *noise;
  LAR_TRY(lar_var_init(&x, LAR_F64, 2, (int64_t[]){ROWS, COLS}));
  LAR_TRY(lar_var_init(&noise, LAR_F64, 2, (int64_t[]){ROWS, 1}));
  LAR_TRY(lar_var_init(&w, LAR_F64, 2, (int64_t[]){COLS, 1}));
  lar_rng random = lar_rng_make(1, "embed");
  lar_rng_fill_normal(&random, &x->t, 0, 1);
  lar_rng_fill_normal(&random, &noise->t, 0, 0.1);
  lar_fill(&w->t, 0);
  w->requires_grad = true;
  const double lambda = 0.1, step = 0.1;
  for (int k = 0; k < STEPS; k++) { /* y = 3 x_1 - 2 x_2 + noise */
    lar_scope s;
    lar_scope_init(&s);
    lar_var *signal = lar_sub(&s, lar_affine(&s, lar_narrow(&s, x, 2, 1, 1), 3, 0),
                              lar_affine(&s, lar_narrow(&s, x, 2, 2, 1), 2, 0));
    lar_var *error = lar_sub(&s, lar_matmul(&s, x, w), lar_add(&s, signal, noise));
    lar_var *loss = lar_affine(&s, lar_mean(&s, lar_mul(&s, error, error)), 0.5, 0), *kept;
    LAR_TRY(lar_scope_take(&s, loss, &kept));
    LAR_TRY(lar_backward(kept, NULL, false));
    lar_var_unref(kept);
    lar_scope_clear(&s);
    for (int j = 0; j < COLS; j++) { /* gradient step, then the prox of lambda |w|_1 */
      double v = lar_tensor_get(&w->t, j) - step * lar_tensor_get(&w->grad->t, j);
      double left = fabs(v) - step * lambda;
      lar_tensor_put(&w->t, j, left > 0 ? copysign(left, v) : 0);
    }
    lar_var_unref(w->grad);
    w->grad = NULL;
  }
  for (int j = 0; j < COLS; j++) printf("w[%d] = %g\n", j + 1, lar_tensor_get(&w->t, j));
  lar_var_unref(x), lar_var_unref(noise), lar_var_unref(w);
  return LAR_OK;
}

int main(void) {
  if (run() == LAR_OK) return 0;
  (void)fprintf(stderr, "%s\n", lar_why());
  return 1;
}
