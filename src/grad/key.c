#include "grad/key.h"

#include "core/mem.h"

void lar_key_grow(lar_key *k, size_t n) {
  void *at = k->at;
  if (k->status == LAR_OK) k->status = lar_grow(&at, &k->cap, k->n + n, 1);
  k->at = at;
}

void lar_key_layout(lar_key *k, const lar_var *v) {
  int form = v == NULL ? -1 : v->t.ndim * 16 + (int)v->t.dtype * 2 + v->requires_grad;
  lar_key_put(k, &form, sizeof form);
  if (v == NULL) return;
  lar_key_put(k, v->t.shape, (size_t)v->t.ndim * sizeof *v->t.shape);
  lar_key_put(k, v->t.stride, (size_t)v->t.ndim * sizeof *v->t.stride);
}

bool lar_key_same(const lar_key *a, const lar_key *b) {
  return a->n == b->n && (a->n == 0 || memcmp(a->at, b->at, a->n) == 0);
}
