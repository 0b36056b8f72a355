/*
 * grad/trace - everything that a computation did to tensors, written down to be repeated.
 *
 * Floor:    grad.
 * Contract: between begin and end each op, draw and write in place on this thread becomes a
 *           record; the computation itself runs as ever. What is not an op cannot be seen, so
 *           what could make a repetition wrong spoils the trace, with a reason: elements read
 *           as numbers, noise drawn or tensors changed by other means, gradients that reach
 *           outside. Tensors are known by their storage, which the trace keeps alive.
 */
#ifndef LAR_GRAD_TRACE_H
#define LAR_GRAD_TRACE_H

#include "core/rng.h"
#include "op/op.h"

typedef enum lar_buf_kind {
  LAR_BUF_INPUT,   /* given anew each time */
  LAR_BUF_OUTSIDE, /* there before, or made by other means than an op */
  LAR_BUF_MADE,    /* by a record */
} lar_buf_kind;

typedef struct lar_buf {
  lar_storage *s;
  lar_buf_kind kind;
  size_t bytes;
  uint32_t version; /* after what the trace knows of */
  bool live;        /* OUTSIDE: changes from run to run by right (parameters, averages) */
  int input;        /* INPUT: which */
} lar_buf;

/* A tensor in a record: the buffer, and the layout (its storage is not to be read). */
typedef struct lar_operand {
  int buf;
  lar_tensor t;
} lar_operand;

typedef enum lar_record_kind {
  LAR_RECORD_OP,
  LAR_RECORD_ASSIGN,
  LAR_RECORD_DRAW
} lar_record_kind;

/* Operands at[0..nin) are read, at[nin..nin + nout) written. */
typedef struct lar_record {
  lar_record_kind kind;
  const lar_op *op;
  lar_attr attr;
  lar_draw draw;
  int nin, nout, at;
} lar_record;

/* A leaf that must still be what it was: a parameter, a tensor that a function captured. */
typedef struct lar_watch {
  lar_var *v;
  lar_storage *s;
  bool requires_grad;
  const lar_var *grad; /* it had then; only to be compared */
} lar_watch;

/* What the caller wants out of it. */
typedef struct lar_result_of {
  int tag;
  bool grad; /* the gradient of a leaf: laid side by side with the others */
  lar_operand x;
} lar_result_of;

enum { LAR_TRACE_WHY = 200, LAR_TRACE_INPUTS = 32 };

typedef struct lar_trace {
  lar_tracer tracer; /* first: it is what the tracer's functions get */
  lar_tracer *former;
  bool open, strict;
  uint64_t since;          /* calls recorded before have a smaller seq, or this */
  char why[LAR_TRACE_WHY]; /* empty while all is well */
  int nbuf, nrecord, noperand, nwatch, nout, ninput, split;
  size_t buf_cap, record_cap, operand_cap, watch_cap, out_cap, slots;
  lar_buf *buf;
  lar_record *record;
  lar_operand *operand;
  lar_watch *watch;
  lar_result_of *out;
  int *slot;                          /* hash table of buffers by storage: index + 1 */
  lar_tensor input[LAR_TRACE_INPUTS]; /* as given; storage not to be read */
  int nstream;
  uint64_t stream[LAR_RNG_STREAMS]; /* where each must be by what was recorded */
} lar_trace;

/* strict: a read of elements is an error where it happens, not a reason to give up. */
lar_status lar_trace_new(lar_trace **out, bool strict);
void lar_trace_free(lar_trace *t);

/* The k-th input: *alias (a new reference) is v's elements under a storage of its own, by
 * which the trace tells it from everything else; derivatives reach v. */
lar_status lar_trace_input(lar_trace *t, lar_var *v, lar_var **alias);

void lar_trace_begin(lar_trace *t);
void lar_trace_end(lar_trace *t); /* idempotent */

/* Note a result; while the trace is open. */
void lar_trace_output(lar_trace *t, const lar_var *v, int tag, bool grad);

/* Are v's elements the work of a record? */
bool lar_trace_made(const lar_trace *t, const lar_var *v);

/* What was recorded so far is the forward pass. */
void lar_trace_split(lar_trace *t);

/* No plan can come of this. The first reason stays. */
void lar_trace_spoil(lar_trace *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Did b do what a did, with the same constants? If not, b is spoilt, with the reason. */
bool lar_trace_agree(const lar_trace *a, lar_trace *b);

/* Let go of what was made: the trace is only good for comparing from now on. */
void lar_trace_let_go(lar_trace *t);

/* Does a trace on this thread hold a reference of each storage it saw? Then this many. */
int lar_trace_holds(void);

#endif
