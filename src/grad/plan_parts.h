/*
 * grad/plan_parts - what a plan consists of, for the files that make and run it.
 */
#ifndef LAR_GRAD_PLAN_PARTS_H
#define LAR_GRAD_PLAN_PARTS_H

#include "grad/plan.h"
#include "op/engine.h"

typedef enum lar_kernel_kind {
  LAR_KERNEL_MAP,  /* an elementwise kernel, made ready */
  LAR_KERNEL_CALL, /* an op's forward, its results put in their place */
  LAR_KERNEL_COPY, /* a write in place */
  LAR_KERNEL_DRAW,
} lar_kernel_kind;

typedef struct lar_kernel {
  lar_kernel_kind kind;
  int nin, nout, record;
  lar_record r;
  lar_tensor *x;        /* results, then inputs */
  const lar_tensor **t; /* the same, as pointers */
  lar_storage **place;  /* CALL: of each result; NULL: seen already */
  lar_map_job *job;     /* MAP */
  lar_storage *outside; /* COPY: whose version counts the write; or NULL */
  bool late;            /* a product that may be left to others */
  const lar_op *then;   /* CALL: the elementwise op that it does besides; or NULL */
  const lar_op *also;   /* and one that is not elementwise */
} lar_kernel;

/* A tensor that the caller gets. `own` holds the elements; the kernels write to head[buf],
 * whose data it shares. */
typedef struct lar_plan_out {
  int tag, buf;
  int own; /* references to its elements that are the plan's */
  lar_var *v;
  const lar_kernel *late; /* the product that makes it, where that may be left; or NULL */
} lar_plan_out;

/* A buffer during layout and after. */
typedef struct lar_place {
  bool constant, needed, written, result, laid;
  bool slotted;           /* lies neither in the arena nor apart */
  bool gradient;          /* a result, and the gradient of a leaf */
  int maker, first, last; /* record; items */
  size_t at, bytes;       /* in the arena */
  char *row;              /* of few elements; or NULL */
  lar_storage *own;       /* of a result */
} lar_place;

/* What is run at once: a kernel, or elementwise kernels in a row as one. */
typedef struct lar_item {
  int first, n;
  struct lar_link *link;   /* of a chain; NULL: one after the other */
  struct lar_brief *brief; /* of few elements; or NULL */
  double seconds;
  int64_t runs;
} lar_item;

struct lar_plan {
  lar_item *item;
  int nitem;
  int nbuf, nkernel, nout, nin, nwatch, nconst, split;
  lar_storage *head; /* of each buffer, as the kernels see it (inputs and what is made) */
  lar_place *place;
  const lar_storage **origin; /* of each buffer, in the trace; only to be compared */
  lar_kernel *kernel;
  lar_plan_out *out;
  int *input;       /* the buffer of each input */
  lar_tensor *like; /* its layout */
  lar_watch *watch;
  lar_storage **constant;
  uint32_t *version;             /* of each constant */
  void *arena, *scratch, *block; /* block: of rows of few elements */
  size_t arena_bytes, scratch_bytes, scratch_need, block_bytes;
  bool measure, leaves;
};

void lar_kernel_clear(lar_kernel *k);
lar_status lar_kernel_room(lar_kernel *k); /* for nout results and nin inputs */

/* plan_late.c: products that nobody needs in the plan. */
void lar_plan_find_late(lar_plan *p);

/* plan_absorb.c: elementwise kernels that the op before them does itself go. */
lar_status lar_plan_absorb(lar_plan *p);

/* plan_pool.c: so do windows that a convolution makes itself. */
lar_status lar_plan_pool(lar_plan *p);

/* The buffer that a tensor fills from end to end; NULL where it does not, or where the buffer
 * is not the plan's own. */
lar_place *lar_plan_buffer(const lar_plan *p, const lar_tensor *x);

/* The same buffer, filled by both in the same way. */
bool lar_plan_same(const lar_plan *p, const lar_tensor *a, const lar_tensor *b);

/* Is its one result made by the kernel, whole, and changed by nothing else? */
bool lar_plan_makes(const lar_plan *p, const lar_kernel *k);

/* Does it read a buffer? */
bool lar_kernel_reads(const lar_kernel *k, const lar_storage *s);

/* Other results and inputs, and the places of results. */
lar_status lar_kernel_take(lar_kernel *k, int nout, int nin, const lar_tensor *const *t,
                           lar_storage *const *place);

/* Let a tensor lie elsewhere. */
void lar_plan_replace(lar_tensor *x, const lar_storage *s);

/* Take kernel n out of the list. */
void lar_plan_drop(lar_plan *p, int n);

/* plan_layout.c: which records become kernels, and where buffers lie. */
lar_status lar_plan_choose(lar_plan *p, const lar_trace *t, bool *keep);
void lar_plan_lives(lar_plan *p); /* of buffers, by item */
lar_status lar_plan_layout(lar_plan *p, const lar_trace *t);

/* plan_fuse.c */
lar_status lar_plan_group(lar_plan *p); /* kernels into items */
lar_status lar_plan_link(lar_plan *p);
void lar_plan_run_chain(const lar_plan *p, const lar_item *it);

/* Does it read and write one row without gaps, or read single elements? Of such a one, the
 * length, and whether operand i is one element for all. */
bool lar_kernel_is_row(const lar_kernel *k);
int64_t lar_kernel_length(const lar_kernel *k);
bool lar_kernel_is_single(const lar_kernel *k, int i);

/* plan_brief.c */
lar_status lar_plan_brief(lar_plan *p);
void lar_plan_run_brief(const struct lar_brief *b);

#endif
