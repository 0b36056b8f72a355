/*
 * io/bytes - whole files in memory, and back.
 *
 * Floor:    io (may include: core).
 * Contract: `data` is followed by a zero byte that `size` does not count. One that is all
 *           zeros holds nothing and is safe to clear. A file that cannot be read or written
 *           is LAR_EIO with a sentence that names it.
 */
#ifndef LAR_IO_BYTES_H
#define LAR_IO_BYTES_H

#include <stddef.h>

#include "core/status.h"

typedef struct lar_bytes {
  char *data;
  size_t size;
} lar_bytes;

/* What is in a file; gzip (recognised by its first bytes) is taken out of its wrapping. */
lar_status lar_bytes_read(lar_bytes *out, const char *path);

/* A copy of `size` bytes in memory; gzip is taken out. `name` is for messages. */
lar_status lar_bytes_copy(lar_bytes *out, const char *name, const void *data, size_t size);

void lar_bytes_clear(lar_bytes *b);

/* Write two blocks, one after the other, as a file: into a new file beside it, flushed to the
 * disk, then renamed. At any moment `path` holds the old file or the new one, whole. */
lar_status lar_bytes_save(const char *path, const void *head, size_t nhead, const void *body,
                          size_t nbody);

#endif
