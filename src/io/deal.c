#include "io/deal.h"

#include <string.h>

#include "core/mem.h"

enum { MOST_CLASSES = 1 << 24 };

static lar_status in_range(int64_t row, int64_t label, int64_t classes) {
  if (label >= 1 && label <= classes) return LAR_OK;
  return lar_fail(LAR_EARG, "row %lld has the label %lld, which is not in 1..%lld",
                  (long long)row + 1, (long long)label, (long long)classes);
}

/* What dealing works on. */
typedef struct hand {
  int64_t n, parts;
  const int64_t *size;
  int64_t *given; /* so far, to each part */
  int64_t dealt;
} hand;

/* The part that is to have the next row: of those that would not run ahead of their share by
 * it, the one that would fall behind first. */
static int64_t next_part(hand *h) {
  double margin = h->parts > 1 ? 1 - 1 / (2 * (double)h->parts - 2) : 1, soonest = 0;
  int64_t best = -1, at = ++h->dealt;
  for (int64_t k = 0; k < h->parts; k++) {
    if (h->given[k] >= h->size[k]) continue;
    double share = (double)h->size[k] / (double)h->n, given = (double)h->given[k];
    double due = (given + margin) / share;
    bool ready = share * (double)at - given >= 1 - margin - 1e-9;
    if (best < 0 || (ready && due < soonest)) best = k, soonest = ready ? due : 1e300;
  }
  h->given[best]++;
  return best;
}

/* Rows in the order of their classes, and within a class in the order given. */
static lar_status by_class(int64_t n, const int64_t *order, const int64_t *label,
                           int64_t *out) {
  int64_t most = 0, *start;
  void *block;
  for (int64_t k = 0; k < n; k++) {
    LAR_TRY(in_range(k, label[k], MOST_CLASSES));
    most = label[k] > most ? label[k] : most;
  }
  LAR_TRY(lar_alloc(&block, (size_t)most + 2, sizeof *start));
  start = block;
  for (int64_t k = 0; k < n; k++) start[label[k] + 1]++;
  for (int64_t c = 1; c <= most + 1; c++) start[c] += start[c - 1];
  for (int64_t k = 0; k < n; k++) out[start[label[order[k]]]++] = order[k];
  lar_free(block);
  return LAR_OK;
}

/* part[row] for all rows, blocks in the order given or spread over the classes. */
static lar_status assign(int64_t n, const int64_t *order, const int64_t *label, hand *h,
                         int64_t *work, int64_t *part) {
  if (label == NULL) {
    int64_t k = 0;
    for (int64_t p = 0; p < h->parts; p++)
      for (int64_t i = 0; i < h->size[p]; i++) part[order[k++]] = p;
    return LAR_OK;
  }
  LAR_TRY(by_class(n, order, label, work));
  for (int64_t k = 0; k < n; k++) part[work[k]] = next_part(h);
  return LAR_OK;
}

lar_status lar_deal(int64_t n, const int64_t *order, const int64_t *label, int64_t parts,
                    const int64_t *size, int64_t *out) {
  void *block = NULL, *given = NULL;
  lar_status st;
  LAR_GO(lar_alloc(&block, (size_t)n + 1, sizeof *out));
  LAR_GO(lar_alloc(&given, (size_t)parts + 1, sizeof *out));
  int64_t *part = block, *start = given;
  for (int64_t k = 0; k < n; k++)
    if (part[order[k]]++ > 0) {
      st = lar_fail(LAR_EARG, "row %lld comes twice", (long long)order[k] + 1);
      goto done;
    }
  hand h = {.n = n, .parts = parts, .size = size, .given = given};
  LAR_GO(assign(n, order, label, &h, out, part));
  start[0] = 0;
  for (int64_t p = 1; p < parts; p++) start[p] = start[p - 1] + size[p - 1];
  for (int64_t k = 0; k < n; k++) out[start[part[order[k]]]++] = order[k];
done:
  lar_free(block);
  lar_free(given);
  return st;
}

/* ---- labels ---- */

lar_status lar_label_count(const lar_tensor *label, int64_t classes, int64_t *count) {
  const int64_t *v = lar_tensor_data(label);
  int64_t n = lar_tensor_numel(label);
  memset(count, 0, (size_t)classes * sizeof *count);
  for (int64_t k = 0; k < n; k++) {
    LAR_TRY(in_range(k, v[k], classes));
    count[v[k] - 1]++;
  }
  return LAR_OK;
}

lar_status lar_label_spread(const lar_tensor *label, const lar_tensor *x) {
  const int64_t *v = lar_tensor_data(label);
  int64_t n = lar_tensor_numel(label), classes = x->shape[1];
  for (int64_t k = 0; k < n; k++) {
    LAR_TRY(in_range(k, v[k], classes));
    lar_tensor_put(x, k * classes + v[k] - 1, 1);
  }
  return LAR_OK;
}
