/*
 * grad/key - bytes that are equal where two computations are set up alike.
 *
 * Floor: grad. A key that is all zeros is empty; its bytes are freed with lar_free(k->at).
 */
#ifndef LAR_GRAD_KEY_H
#define LAR_GRAD_KEY_H

#include <string.h>

#include "core/status.h"
#include "op/op.h"

typedef struct lar_key {
  char *at;
  size_t n, cap;
  lar_status status; /* the first failure: then the key is not to be used */
  bool partial;      /* there is more that may matter than it holds: it proves nothing */
} lar_key;

void lar_key_grow(lar_key *k, size_t n); /* room for n bytes more; status says if there is */
static inline void lar_key_put(lar_key *k, const void *p, size_t n) {
  if (k->n + n > k->cap) lar_key_grow(k, n);
  if (k->status != LAR_OK || n == 0) return;
  memcpy(k->at + k->n, p, n);
  k->n += n;
}
static inline void lar_key_empty(lar_key *k) {
  k->n = 0;
  k->status = LAR_OK;
  k->partial = false;
}
void lar_key_layout(lar_key *k, const lar_var *v); /* shape, strides, dtype; v may be NULL */
bool lar_key_same(const lar_key *a, const lar_key *b);

#endif
