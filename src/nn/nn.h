/*
 * nn/nn - what a layer must say of itself, and modules: layers with their parameters.
 *
 * Floor:    nn (may include: grad op kern core).
 * Contract: one layer a file; it defines one `LAR_ENTRY(layer, <file>)`. Its forward is
 *           written in ops (op/calc.h), so derivatives of every order follow. A module is
 *           counted; a parent holds references to its children. A layer's messages leave
 *           out its name: lar_module_forward puts it in front, with its place in the model
 *           (`linear (layer "2.1"): ...`).
 */
#ifndef LAR_NN_NN_H
#define LAR_NN_NN_H

#include "grad/outputs.h"
#include "grad/params.h"
#include "op/calc.h"

typedef struct lar_module lar_module;

enum {
  LAR_LAYER_CONTAINER = 1u << 0,  /* made from a list of children */
  LAR_LAYER_STOCHASTIC = 1u << 1, /* draws random numbers in training */
  LAR_LAYER_INTEGER = 1u << 2,    /* takes int64 input */
  LAR_LAYER_CHAIN = 1u << 3,      /* a container whose children follow each other */
  LAR_LAYER_INIT = 1u << 4,       /* takes the name of an initialiser, `init` */
  LAR_LAYER_ACTIVATION = 1u << 5, /* a nonlinearity: penalties of activations see its output */
};

enum { LAR_UNKNOWN = -1 }; /* a size, or a number of dimensions, in shapes for printing */

typedef struct lar_layer {
  const char *name, *doc, *source;
  /* Names of positional parameters, in order: "inputs outputs"; "size*" takes a list, into
   * size, size2, ... */
  const char *args;
  const lar_param *params; /* all of them, positional ones included */
  size_t size;             /* bytes of the parameter struct, m->self */
  unsigned traits;
  /* Check m->self and make parameters and buffers; NULL: there are none. */
  lar_status (*init)(lar_module *m);
  lar_var *(*forward)(lar_module *m, lar_scope *s, lar_var *x);
  /* Shape of the output for an input of that shape (the batch dimension first), for printing;
   * sizes, or all of it, may be LAR_UNKNOWN. NULL: the same. */
  lar_status (*shape)(const lar_module *m, int *ndim, int64_t *shape);
} lar_layer;

typedef struct lar_slot {
  char *name;
  lar_var *var;
  lar_pkind kind;
  bool buffer; /* state that is saved but not trained (running means) */
} lar_slot;

struct lar_module {
  const lar_layer *type;
  int refs;
  bool training;
  void *self;  /* the layer's parameters, type->size bytes */
  char *label; /* set by named(); NULL: the parent numbers it */
  char *title; /* what a layer written in Lua is called; NULL: type->name */
  char *init;  /* name of an initialiser; NULL: the layer's default */
  int nslot, nchild;
  size_t slot_cap;
  lar_slot *slot;
  lar_module **child;
  /* For layers written in Lua: forward calls this instead. */
  lar_status (*call)(void *ctx, lar_module *m, lar_var *x, lar_var **y);
  void *ctx;
  void (*drop)(void *ctx); /* at the module's end */
};

extern const lar_layer *const lar_layers[]; /* ends in NULL; made by make */
const lar_layer *lar_layer_find(const char *name);

/* A module of that type; `self` (type->size bytes; NULL: defaults) is copied, children are
 * referenced. */
lar_status lar_module_new(lar_module **out, const lar_layer *type, const void *self,
                          const char *init, int nchild, lar_module *const *child);
lar_module *lar_module_ref(lar_module *m);
void lar_module_unref(lar_module *m);
const char *lar_module_name(const lar_module *m); /* of its kind: "linear" */

/* Set (NULL: take away) the name under which the parent lists it; no dots. */
lar_status lar_module_label(lar_module *m, const char *label);
lar_status lar_module_title(lar_module *m, const char *title);

/* For a layer's init: a parameter (requires a gradient) or buffer of the default dtype,
 * uninitialised; slots keep the order in which they are added. */
lar_status lar_module_add(lar_module *m, const char *name, lar_pkind kind, bool buffer,
                          int ndim, const int64_t *shape, lar_var **out);
/* The same with a value of one's own. */
lar_status lar_module_put(lar_module *m, const char *name, lar_pkind kind, bool buffer,
                          lar_var *v);
lar_var *lar_module_slot(const lar_module *m, const char *name); /* borrowed, NULL if none */

/* The name of the k-th child: its label, or its number, in a buffer of the caller. */
const char *lar_module_child_name(const lar_module *m, int k, char buf[16]);

/* y = m(x), owned by the scope; the layers' temporaries are let go layer by layer. */
lar_var *lar_module_forward(lar_module *m, lar_scope *s, lar_var *x);

/* From now on, on this thread, outputs of modules are added to the list (NULL: to none).
 * Returns the former list. */
lar_outputs *lar_module_watch(lar_outputs *list);

/* Let every slot below m that holds `from` hold `to`, of the same shape. */
void lar_module_swap(lar_module *m, const lar_var *from, lar_var *to);

/* Shape of y for x of that shape. */
lar_status lar_module_shape(const lar_module *m, int *ndim, int64_t *shape);

void lar_module_train(lar_module *m, bool training);
lar_status lar_module_to(lar_module *m, lar_dtype dtype); /* parameters keep their identity */
/* A copy with parameters and buffers of its own; what is shared inside stays shared. Layers
 * written in Lua: their ctx is the caller's to set. */
lar_status lar_module_clone(lar_module **out, const lar_module *m);

/* Append all parameters (or buffers), depth first, children numbered from 1 or by label. A
 * value that occurs twice (shared weights) is listed once. */
lar_status lar_module_params(const lar_module *m, lar_params *out);
lar_status lar_module_buffers(const lar_module *m, lar_params *out);

/* Fail with "input (32, 10) ..."; returns NULL. */
lar_var *lar_layer_fail(lar_scope *s, lar_status code, const char *fmt, ...)
  __attribute__((format(printf, 3, 4)));

#endif
