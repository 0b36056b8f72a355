/*
 * kern/window - windows that move over planes, of a convolution or a pooling.
 */
#ifndef LAR_KERN_WINDOW_H
#define LAR_KERN_WINDOW_H

#include <stdint.h>

/* Rows and columns: of the plane, of windows over it, of a window; steps between windows, what
 * is added before the first row and column, steps between the elements of a window. */
#define LAR_WINDOW_FIELDS int64_t size[2], out[2], kernel[2], stride[2], pad[2], dilation[2]

typedef struct lar_window {
  LAR_WINDOW_FIELDS;
} lar_window;

/* As members of a struct, and together as its `window`. */
#define LAR_WINDOW       \
  union {                \
    lar_window window;   \
    struct {             \
      LAR_WINDOW_FIELDS; \
    };                   \
  }

#endif
