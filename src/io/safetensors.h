/*
 * io/safetensors - named tensors in one file.
 *
 * Floor:  io (may include: kern core).
 * Source: the safetensors format, https://github.com/huggingface/safetensors: eight bytes with
 * the head's length, a head in JSON that gives dtype, shape and place of every tensor and texts
 * under `__metadata__`, then the numbers, little-endian. No code is run on reading.
 */
#ifndef LAR_IO_SAFETENSORS_H
#define LAR_IO_SAFETENSORS_H

#include "core/tensor.h"

/* Tensors by name, and one text. All zeros holds nothing. */
typedef struct lar_pack {
  int n;
  char **name;
  lar_tensor *at;
  char *text; /* what `__metadata__` has under the key given, or NULL */
} lar_pack;

/* Write contiguous tensors and the text under `key`, whole or not at all. */
lar_status lar_safetensors_save(const char *path, int n, const char *const *name,
                                const lar_tensor *at, const char *key, const char *text);

/* Read a file; every place in it is checked. LAR_EIO, with a sentence, for what is no such file
 * or holds a dtype that tensors here do not have. */
lar_status lar_safetensors_read(lar_pack *out, const char *path, const char *key);

void lar_pack_clear(lar_pack *p);

#endif
