#include "core/storage.h"

#include "core/alone.h"
#include "core/mem.h"

enum { HEAD = (sizeof(lar_storage) + 63) / 64 * 64 };

lar_status lar_storage_new(lar_storage **out, size_t bytes) {
  void *p;
  *out = NULL;
  /* header, room and elements in one block */
  LAR_TRY(lar_alloc_raw(&p, HEAD + LAR_STORAGE_ROOM + bytes, 1));
  lar_storage *s = p;
  *s = (lar_storage){
    .refs = 1, .roomy = true, .bytes = bytes, .data = (char *)p + HEAD + LAR_STORAGE_ROOM};
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

/* One word counts both, so that whoever goes last, reference or lodger, knows it. */
enum { TAKEN = 1 << 24 };

static void release(lar_storage *s, int n) {
  /* A sole owner need not lock the bus to know that it is one. */
  int refs = atomic_load_explicit(&s->refs, memory_order_acquire);
  if (refs != n) {
    if (lar_alone())
      atomic_store_explicit(&s->refs, refs - n, memory_order_relaxed);
    else
      refs = atomic_fetch_sub_explicit(&s->refs, n, memory_order_acq_rel);
    if (refs != n) return;
  }
  if (s->release != NULL) s->release(s->owner);
  lar_free(s);
}

void *lar_storage_room(lar_storage *s) {
#ifdef __SANITIZE_ADDRESS__
  return NULL; /* a block of its own shows when it is used after its end */
#endif
  int refs = atomic_load_explicit(&s->refs, memory_order_relaxed);
  if (!s->roomy || refs >= TAKEN) return NULL;
  if (refs == 1) /* the caller's own */
    atomic_store_explicit(&s->refs, refs + TAKEN, memory_order_relaxed);
  else if (atomic_fetch_or_explicit(&s->refs, TAKEN, memory_order_relaxed) >= TAKEN)
    return NULL;
  return (char *)s + HEAD;
}

void lar_storage_leave(void *room) { release((lar_storage *)((char *)room - HEAD), TAKEN); }

int lar_storage_refs(const lar_storage *s) {
  return atomic_load_explicit(&s->refs, memory_order_acquire) % TAKEN;
}

bool lar_storage_shared(const lar_storage *s) { return lar_storage_refs(s) > 1; }

lar_storage *lar_storage_ref(lar_storage *s) {
  if (s == NULL) return NULL;
  if (lar_alone())
    atomic_store_explicit(&s->refs, atomic_load_explicit(&s->refs, memory_order_relaxed) + 1,
                          memory_order_relaxed);
  else
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

void lar_storage_unref(lar_storage *s) {
  if (s != NULL) release(s, 1);
}
