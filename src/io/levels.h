/*
 * io/levels - the different texts of a column, and what kind of column they make.
 *
 * Floor: io (may include: core).
 */
#ifndef LAR_IO_LEVELS_H
#define LAR_IO_LEVELS_H

#include "io/csv.h"

/* The 0-based place of a text among the levels, added when new. The text is not copied. */
lar_status lar_levels_add(lar_levels *v, const lar_slice *s, int64_t *at);

void lar_levels_clear(lar_levels *v);

/* 1 for true and yes and 1, 0 for false and no and 0, -1 for anything else. */
int lar_truth_read(const lar_slice *s);

/* Decide the kind of a text column that has been read; sort the levels of a category. */
lar_status lar_levels_settle(lar_frame *f, lar_column *k, int64_t max_levels);

#endif
