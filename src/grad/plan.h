/*
 * grad/plan - a computation that was traced, as a list of kernels over buffers laid out in
 *             advance.
 *
 * Floor:    grad.
 * Contract: a plan does to its inputs what the traced computation did, bit for bit, for
 *           inputs of the same layout, and allocates nothing when it runs for the third time
 *           and after. What nobody needs is not computed, what cannot change is computed once.
 *           Parameters and other tensors from outside are read where they lie; random streams
 *           move on as they would. A plan holds no more when what it took for constant has
 *           changed (lar_plan_holds): the caller then traces again.
 */
#ifndef LAR_GRAD_PLAN_H
#define LAR_GRAD_PLAN_H

#include "grad/trace.h"

typedef struct lar_plan lar_plan;

/* From a trace that has ended and is not spoilt; the trace can be freed afterwards. */
lar_status lar_plan_new(lar_plan **out, const lar_trace *t);
void lar_plan_free(lar_plan *p);

/* Inputs of the layout that was traced? */
bool lar_plan_fits(const lar_plan *p, int nin, const lar_var *const *in);

/* Is everything that the plan relies on as it was? */
bool lar_plan_holds(const lar_plan *p);

/* Run, with the first nin inputs given anew, all kernels, or those of the forward pass (before
 * lar_trace_split), or those after it. On failure streams may have moved and averages been
 * written. */
typedef enum lar_run_part { LAR_RUN_ALL, LAR_RUN_FORWARD, LAR_RUN_BACKWARD } lar_run_part;
lar_status lar_plan_run(lar_plan *p, lar_run_part part, int nin, const lar_var *const *in);

/* A gradient that is a product of two matrices and goes nowhere else may be left to whoever
 * wants it. While `on`, such are not computed; lar_plan_factors gives the two for result k,
 * which hold until the next run, or says that it has been computed. */
void lar_plan_leave(lar_plan *p, bool on);
bool lar_plan_factors(const lar_plan *p, int k, const lar_tensor **a, const lar_tensor **b);

/* Results in the order of lar_trace_output. The value is the plan's and is written anew by the
 * next run, unless somebody else holds on to it or its elements: then the plan makes another.
 */
int lar_plan_results(const lar_plan *p);
int lar_plan_tag(const lar_plan *p, int k);
lar_var *lar_plan_result(const lar_plan *p, int k);

/* ---- what it consists of ---- */

typedef struct lar_kernel_info {
  const char *name;  /* of the op */
  const char *shape; /* of what it writes */
  size_t bytes;      /* read and written */
  double seconds;    /* in all runs while it was measured */
  int64_t runs;
} lar_kernel_info;

int lar_plan_kernels(const lar_plan *p);
lar_kernel_info lar_plan_kernel(const lar_plan *p, int k);
size_t lar_plan_bytes(const lar_plan *p); /* of its buffers */
void lar_plan_measure(lar_plan *p, bool on);

#endif
