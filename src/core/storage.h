/*
 * core/storage - a counted block of tensor elements.
 *
 * Floor: core. Several tensors (views) may share one. `version` counts the writes in
 * place, so that a derivative can tell that a value it remembers has been changed.
 */
#ifndef LAR_CORE_STORAGE_H
#define LAR_CORE_STORAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

enum { LAR_STORAGE_ROOM = 192 };

typedef struct lar_storage {
  atomic_int refs; /* and LAR_STORAGE_TAKEN when somebody lives in the room */
  uint32_t version;
  bool roomy;
  size_t bytes;
  void *data;              /* 64-byte aligned unless borrowed */
  void (*release)(void *); /* called with `owner` at the end, where there is one */
  void *owner;
} lar_storage;

/* A block of `bytes` bytes, contents undefined, with one reference. */
lar_status lar_storage_new(lar_storage **out, size_t bytes);

/* Wrap memory that somebody else owns; `release(owner)` (may be NULL) is called once. */
lar_status lar_storage_borrow(lar_storage **out, void *data, size_t bytes,
                              void (*release)(void *), void *owner);

/* LAR_STORAGE_ROOM bytes, 64-byte aligned, beside the elements: for the value that most
 * storages have, without a block of its own. NULL when there is no room or it is taken. The
 * block stays as long as somebody lives in it or holds a reference. */
void *lar_storage_room(lar_storage *s);
void lar_storage_leave(void *room);

/* Are there other references than the caller's? */
bool lar_storage_shared(const lar_storage *s);
int lar_storage_refs(const lar_storage *s);

lar_storage *lar_storage_ref(lar_storage *s);
void lar_storage_unref(lar_storage *s);

#endif
