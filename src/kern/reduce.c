#include "kern/reduce.h"

#include "core/mem.h"
#include "core/par.h"
#include "kern/copy.h"
#include "kern/fold.h"
#include "kern/loop.h"

int lar_reduce_shape(const lar_tensor *x, const bool *covered, bool keepdim, int64_t *shape) {
  int n = 0;
  for (int d = 0; d < x->ndim; d++)
    if (!covered[d])
      shape[n++] = x->shape[d];
    else if (keepdim)
      shape[n++] = 1;
  return n;
}

lar_status lar_reduce_layout(lar_tensor *out, const lar_tensor *x, const bool *covered,
                             int64_t sizes[3]) {
  int first = -1, last = -1;
  bool block = true; /* the covered dimensions stand side by side */
  for (int d = 0; d < x->ndim; d++)
    if (covered[d]) {
      if (first < 0)
        first = d;
      else if (d != last + 1)
        block = false;
      last = d;
    }
  sizes[0] = sizes[1] = sizes[2] = 1;
  if (block) {
    for (int d = 0; d < x->ndim; d++)
      sizes[first < 0 || d < first ? 0 : d <= last ? 1 : 2] *= x->shape[d];
    return lar_contiguous(out, x, x->dtype);
  }
  lar_tensor turned = *x; /* the dimensions that stay, then those that go */
  int n = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int d = 0; d < x->ndim; d++)
      if (covered[d] == (pass == 1)) {
        turned.shape[n] = x->shape[d];
        turned.stride[n++] = x->stride[d];
        sizes[pass] *= x->shape[d];
      }
  return lar_contiguous(out, &turned, x->dtype);
}

enum { GRAIN = 32768 };

typedef struct job {
  lar_fold_body *body;
  lar_fold_columns_body *columns;
  lar_fold fold;
  const char *x;
  char *out;
  int64_t sizes[3], parts;
  size_t xsize, outsize;
} job;

/* One long row in `parts` pieces, a partial result each. */
static void pieces(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  for (int64_t k = begin; k < end; k++) {
    int64_t from = k * GRAIN, n = j->sizes[1] - from < GRAIN ? j->sizes[1] - from : GRAIN;
    j->body(j->fold, j->out + (size_t)k * sizeof(double), j->x + (size_t)from * j->xsize, 1, n,
            1, true);
  }
}

static void outers(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  size_t step = (size_t)(j->sizes[1] * j->sizes[2]) * j->xsize;
  j->body(j->fold, j->out + (size_t)(begin * j->sizes[2]) * j->outsize,
          j->x + (size_t)begin * step, end - begin, j->sizes[1], j->sizes[2], false);
}

/* Panels of the columns of one matrix. */
static void panels(void *ctx, int64_t begin, int64_t end) {
  const job *j = ctx;
  int64_t from = begin * LAR_FOLD_PANEL, to = end * LAR_FOLD_PANEL, all = j->sizes[2];
  j->columns(j->fold, j->out + (size_t)from * j->outsize, j->x + (size_t)from * j->xsize,
             j->sizes[1], all, (to < all ? to : all) - from);
}

static lar_status long_row(job *j, lar_tensor *out, lar_dtype from) {
  void *partial;
  lar_fold_body *join = lar_fold_find(
    from == LAR_I64 || from == LAR_BOOL || j->fold == LAR_FOLD_COUNT ? LAR_I64 : LAR_F64);
  j->parts = (j->sizes[1] + GRAIN - 1) / GRAIN;
  LAR_TRY(lar_alloc_raw(&partial, (size_t)j->parts, sizeof(double)));
  j->out = partial;
  lar_par_for(j->parts, 1, pieces, j);
  lar_fold again = j->fold == LAR_FOLD_COUNT ? LAR_FOLD_SUM : j->fold;
  union {
    double d;
    int64_t i;
  } total;
  join(again, &total, partial, 1, j->parts, 1, true);
  if (out->dtype == LAR_I64)
    *(int64_t *)lar_tensor_data(out) = total.i;
  else
    lar_tensor_put(out, 0, total.d);
  lar_free(partial);
  return LAR_OK;
}

lar_status lar_reduce(lar_tensor *out, const lar_tensor *x, const bool *covered, bool keepdim,
                      lar_fold fold) {
  lar_tensor block = {0}, wide = {0};
  int64_t shape[LAR_MAX_NDIM];
  job j = {.fold = fold};
  lar_status st = LAR_OK;
  if (x->dtype == LAR_BOOL) { /* counted as int64 */
    LAR_TRY(lar_clone(&wide, x, LAR_I64));
    x = &wide;
  }
  lar_dtype made = fold == LAR_FOLD_COUNT ? LAR_I64 : x->dtype;
  LAR_GO(lar_reduce_layout(&block, x, covered, j.sizes));
  int ndim = lar_reduce_shape(x, covered, keepdim, shape);
  LAR_GO(lar_tensor_init(out, made, ndim, shape));
  j.body = lar_fold_find(x->dtype);
  j.columns = lar_fold_columns_find(x->dtype);
  j.x = lar_tensor_data(&block);
  j.out = lar_tensor_data(out);
  j.xsize = lar_dtype_size(x->dtype);
  j.outsize = lar_dtype_size(made);
  if (j.sizes[0] == 1 && j.sizes[2] == 1 && j.sizes[1] > GRAIN) {
    st = long_row(&j, out, x->dtype);
  } else if (j.sizes[0] == 1 && j.sizes[2] > LAR_FOLD_PANEL &&
             j.sizes[1] * j.sizes[2] > GRAIN) {
    lar_par_shares((j.sizes[2] + LAR_FOLD_PANEL - 1) / LAR_FOLD_PANEL, panels, &j);
  } else {
    int64_t each = j.sizes[1] * j.sizes[2];
    lar_par_for(j.sizes[0], lar_loop_grain(j.sizes[0] * each) / (each + 1) + 1, outers, &j);
  }
done:
  lar_tensor_clear(&block);
  lar_tensor_clear(&wide);
  return st;
}
