#include "core/storage.h"

#include "core/mem.h"

enum { HEAD = (sizeof(lar_storage) + 63) / 64 * 64 };

lar_status lar_storage_new(lar_storage **out, size_t bytes) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc_raw(&p, HEAD + bytes, 1)); /* header and elements in one block */
  lar_storage *s = p;
  *s = (lar_storage){.refs = 1, .bytes = bytes, .data = (char *)p + HEAD};
  *out = s;
  return LAR_OK;
}

lar_status lar_storage_borrow(lar_storage **out, void *data, size_t bytes,
                              void (*release)(void *), void *owner) {
  void *p;
  *out = NULL;
  LAR_TRY(lar_alloc_raw(&p, 1, sizeof(lar_storage)));
  lar_storage *s = p;
  *s =
    (lar_storage){.refs = 1, .bytes = bytes, .data = data, .release = release, .owner = owner};
  *out = s;
  return LAR_OK;
}

lar_storage *lar_storage_ref(lar_storage *s) {
  if (s != NULL) atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

void lar_storage_unref(lar_storage *s) {
  if (s == NULL) return;
  /* A sole owner need not lock the bus to know that it is one. */
  if (atomic_load_explicit(&s->refs, memory_order_acquire) != 1 &&
      atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
    return;
  if (s->release != NULL) s->release(s->owner);
  lar_free(s);
}
