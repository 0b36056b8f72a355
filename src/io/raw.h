/*
 * io/raw - numbers as other programs lay them out in files.
 *
 * Floor: io (may include: kern core).
 */
#ifndef LAR_IO_RAW_H
#define LAR_IO_RAW_H

#include "core/tensor.h"

/* How a number is written: 'f' float (2, 4, 8 bytes), 'i' signed, 'u' unsigned (1, 2, 4, 8),
 * 'b' bool (1). */
typedef struct lar_raw {
  char type;
  int size;
  bool big; /* the most significant byte first */
} lar_raw;

/* The dtype that holds it all: floats as they are (2 bytes: float32), integers int64. */
lar_dtype lar_raw_dtype(lar_raw r);

/* Fill a contiguous tensor with the numel(t) numbers at `from`. */
void lar_raw_read(const lar_tensor *t, lar_raw r, const void *from);

#endif
