/*
 * op/op - differentiable operations on graph values.
 *
 * Floor:    op (may include: kern core).
 * Contract: one op a file, forward and derivative side by side; it defines one
 *           `LAR_ENTRY(op, <file>)` and exports nothing else. Exactly one of these says what
 *           it computes:
 *             map      an elementwise kernel for each dtype (op/map.h);
 *             forward  anything else, from tensors to tensors;
 *             compose  other ops (then the derivative follows by itself).
 *           vjp gets graph values and returns graph values, built from ops, so derivatives
 *           of derivatives exist. NULL: not differentiable (the result needs no gradient).
 *           Every application goes through lar_op_apply, which records it for the backward
 *           pass and shows it to the observer (the door for traced plans).
 */
#ifndef LAR_OP_OP_H
#define LAR_OP_OP_H

#include <string.h>

#include "core/entry.h"
#include "core/param.h"
#include "core/tensor.h"

enum { LAR_MAX_OUT = 4, LAR_ATTR_INTS = 4 * LAR_MAX_NDIM, LAR_ATTR_REALS = 10 };

#define LAR_NONE INT64_MIN /* an integer argument that was left out */

typedef struct lar_op lar_op;
typedef struct lar_call lar_call;
typedef struct lar_scope lar_scope;
struct lar_rng; /* core/rng.h */

/* A graph value: a tensor, and how it came about. Counted. */
typedef struct lar_var {
  lar_tensor t;
  int refs, index;      /* index: which output of maker */
  bool requires_grad;   /* true for leaves that ask and for everything made from them */
  bool inside;          /* lives beside its elements (core/storage.h) */
  lar_call *maker;      /* NULL for leaves */
  struct lar_var *grad; /* of a leaf, filled by lar_backward */
} lar_var;

/* Integer and real arguments, as users write them: dimensions and indices are 1-based and
 * may count from the end; i[0..n) in the order of `args`, f[k] the k-th row of `params`. What
 * comes after i[n) need not be there: copy by lar_attr_copy. */
typedef struct lar_attr {
  int n;
  double f[LAR_ATTR_REALS];
  int64_t i[LAR_ATTR_INTS];
} lar_attr;

static inline void lar_attr_copy(lar_attr *to, const lar_attr *from) {
  to->n = from->n;
  memcpy(to->f, from->f, sizeof to->f);
  if (from->n > 0) memcpy(to->i, from->i, (size_t)from->n * sizeof *to->i);
}

/* One recorded application. A single output owns its call, which therefore ends before it;
 * several are kept as tensors, not as values: no cycles. */
struct lar_call {
  const lar_op *op;
  int refs, nin, nout;
  uint64_t seq, mark; /* order of creation; last walk that saw it */
  size_t at;          /* its place in that walk */
  lar_var **in;
  lar_var *made;     /* the single output */
  lar_tensor *out;   /* or several */
  uint32_t *version; /* of in then out, when recorded */
  lar_attr attr;     /* as far as it has something in it */
};

/* What forward works on: `out` is zeroed; forward allocates, fills and sets nout. */
typedef struct lar_io {
  const lar_op *op;
  const lar_attr *attr;
  int nin, nout;
  const lar_tensor *const *in;
  lar_tensor out[LAR_MAX_OUT];
} lar_io;

/* What vjp works on. A gradient g[k] is NULL where none flows back. Set gx[j] for each j
 * with need[j]; shapes are summed back to x[j]'s and cast to its dtype by the caller. */
typedef struct lar_vjp {
  lar_scope *s;
  const lar_attr *attr;
  int nin, nout;
  lar_var *const *x, *const *y, *const *g;
  const bool *need;
  lar_var **gx;
} lar_vjp;

typedef void lar_map(int64_t n, void *out, const void *const *in, const double *f);

/* dtype of a map's result, from the dtype its inputs meet in. */
typedef enum lar_result {
  LAR_SAME,   /* that dtype; bool becomes int64 */
  LAR_FLOAT,  /* that dtype; integers become the default float */
  LAR_TRUTH,  /* bool */
  LAR_BRANCH, /* as LAR_SAME, the first input (a condition) left aside */
} lar_result;

enum {
  LAR_OP_LINEAR = 1u << 0, /* vjp reads shapes only: inputs may be changed afterwards */
  LAR_OP_VIEW = 1u << 1,   /* the result may share the input's storage */
  LAR_OP_HIDDEN = 1u << 2, /* a part of other ops: not a Lua method */
};

/* `args` tells the binding how Lua arguments are read, a letter each:
 *   x a tensor (or a number)   X a list of tensors, or several   ? after a letter: optional
 *   d a dimension              D a dimension, a list of them, or nothing (all)
 *   i an integer               s a shape: integers or a list
 * Numbers after those fill `params` in order, and a table at the end fills them by name. */
struct lar_op {
  const char *name, *doc, *args;
  const lar_param *params; /* `at` is LAR_AT(k), the place of f[k] */
  unsigned traits;
  int nin;  /* number of tensors; -1: any number from 1 */
  int nout; /* most results there can be; 0 means 1 */
  lar_result result;
  lar_map *map[3]; /* by dtype: float, double, int64 (may be NULL) */
  lar_status (*forward)(lar_io *io);
  lar_var *(*compose)(lar_scope *s, const lar_attr *a, int nin, lar_var *const *in);
  void (*vjp)(lar_vjp *v);
  /* May forward do elementwise `next` of its result (and of its last input, where `next` takes
   * two) while it writes? Then the attributes ask it to, for a plan. `more`: `next` takes
   * another tensor, of the result's shape and row-major; forward would get it as its last. */
  bool (*absorb)(lar_attr *attr, const lar_op *next, bool more);
};

#define LAR_AT(k) (offsetof(lar_attr, f) + (k) * sizeof(double))

extern const lar_op *const lar_ops[]; /* ends in NULL; made by make */
const lar_op *lar_op_find(const char *name);

/* ---- values ---- */

lar_status lar_var_new(lar_var **out, const lar_tensor *t); /* shares t's storage */
lar_status lar_var_adopt(lar_var **out, lar_tensor *t);     /* takes t's reference over */
lar_status lar_var_init(lar_var **out, lar_dtype dtype, int ndim, const int64_t *shape);
lar_status lar_var_scalar(lar_var **out, lar_dtype dtype, double v);
lar_var *lar_var_ref(lar_var *v);
void lar_var_unref(lar_var *v);

/* The same elements with no history. */
lar_status lar_var_detach(lar_var **out, const lar_var *v);

/* The single element of a tensor with one. */
lar_status lar_var_item(const lar_var *v, double *out);

/* ---- applying ---- */

/* Apply `op`; out[0..*nout) are new references. A NULL input means that an earlier step
 * failed: LAR_ECALL at once. */
lar_status lar_op_apply(const lar_op *op, const lar_attr *attr, int nin, lar_var *const *in,
                        int *nout, lar_var **out);

/* dst = op(...) in place, written through dst's storage. LAR_EARG when dst has a history
 * that the write would falsify. */
lar_status lar_op_into(lar_var *dst, const lar_op *op, const lar_attr *attr, int nin,
                       lar_var *const *in);

/* dst[...] = src[...] outside the record for derivatives, seen by the tracer. */
lar_status lar_var_assign(lar_var *dst, const lar_tensor *src);

/* May dst be overwritten now? `overwrite`: with values that do not depend on it. */
lar_status lar_var_writable(const lar_var *dst, bool overwrite);

/* Calls recorded so far on this process: a call made later has a larger seq. */
uint64_t lar_op_seq(void);

/* Recording for derivatives: on by default; returns the former setting. */
bool lar_grad_mode(bool on);
bool lar_grad_enabled(void);

/* dtype of new float tensors: LAR_F32 unless changed. */
extern lar_dtype lar_default_dtype;

/* Called after each application on this thread, for tracing; NULL: none. */
typedef void lar_observer(void *ctx, const lar_op *op, const lar_attr *attr, int nin,
                          lar_var *const *in, int nout, lar_var *const *out);
void lar_op_observe(lar_observer *fn, void *ctx);
bool lar_op_observed(void); /* by it or by a tracer: values may be kept after the call */

/* Noise drawn from a stream: b with probability a, else 0; normal (a mean, b standard
 * deviation); uniform in [a, b). */
typedef enum lar_draw_kind { LAR_DRAW_COIN, LAR_DRAW_NORMAL, LAR_DRAW_UNIFORM } lar_draw_kind;
typedef struct lar_draw {
  lar_draw_kind kind;
  double a, b;
  struct lar_rng *rng; /* a stream of the process: it stays */
} lar_draw;

/* Everything that may happen to tensors in a computation that is to be repeated later
 * (grad/trace.h is the one that listens). */
typedef struct lar_tracer lar_tracer;
struct lar_tracer {
  lar_observer *applied; /* ctx: the tracer itself */
  void (*assigned)(lar_tracer *t, const lar_var *dst, const lar_tensor *src);
  void (*drew)(lar_tracer *t, const lar_draw *d, const lar_tensor *out);
  lar_status (*peeked)(lar_tracer *t, const char *what);
};
lar_tracer *lar_op_listen(lar_tracer *t); /* on this thread; NULL: none. Returns the former. */
bool lar_op_traced(void);
void lar_op_drew(const lar_draw *d, const lar_tensor *out); /* tell the tracer */

/* Elements are about to decide what is done next, or to leave as plain numbers: "x:item()". A
 * repetition could not know; LAR_EARG where that is an error. */
lar_status lar_op_peek(const char *what);

/* ---- helpers for forward ---- */

/* The k-th integer argument; LAR_NONE when there is none. */
static inline int64_t lar_attr_int(const lar_attr *a, int k) {
  return a->n > k ? a->i[k] : LAR_NONE;
}

/* 0-based dimension from a user's d; LAR_ESHAPE with a sentence when out of range. */
lar_status lar_dim(int64_t d, int ndim, int *out);

/* 0-based index from a user's i into a dimension of `size`. */
lar_status lar_index(int64_t i, int64_t size, int64_t *out);

/* Fails with the first of n indices that is none. */
lar_status lar_indices(const int64_t *i, int64_t n, int64_t size);

/* The dimensions a reduction covers, from attr i[from..n): none means all. */
lar_status lar_dims(const lar_attr *a, int from, int ndim, bool *covered);

/* ---- scope: owner of the temporaries of one computation ---- */

/* Graph functions (op/calc.h) take a scope, return values it owns, and do nothing once one
 * has failed: so formulas can be written as formulas, and `status` read at the end. */
struct lar_scope {
  lar_status status;
  int n, cap;
  lar_var **own, *first[28];
};

void lar_scope_init(lar_scope *s);
void lar_scope_clear(lar_scope *s);

/* Give the scope a reference; returns v (NULL on failure). */
lar_var *lar_scope_own(lar_scope *s, lar_var *v);

/* Note a failure; returns NULL for use in `return`. */
lar_var *lar_scope_fail(lar_scope *s, lar_status st);

/* Apply in a scope; the first result. */
lar_var *lar_apply(lar_scope *s, const lar_op *op, const lar_attr *attr, int nin,
                   lar_var *const *in);

/* A new reference to v for the caller, or the scope's failure. */
lar_status lar_scope_take(lar_scope *s, lar_var *v, lar_var **out);

#endif
