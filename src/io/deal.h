/*
 * io/deal - rows dealt into parts, and class labels counted and spread.
 *
 * Floor:    io (may include: core).
 * Contract: labels are int64 and contiguous, 1..K.
 */
#ifndef LAR_IO_DEAL_H
#define LAR_IO_DEAL_H

#include "core/tensor.h"

/* Deal n rows into parts of size[0..parts), which add up to n: out[0..n) holds the rows of the
 * first part, then of the second, ..., as positions from 0. `order` is the order in which rows
 * are dealt and in which each part keeps them. With labels (may be NULL) every class is spread
 * evenly: of a class of m rows, part k gets m size[k] / n, to within a row or two, by dealing
 * its rows as evenly as possible (R. Tijdeman 1980, The chairman assignment problem). */
lar_status lar_deal(int64_t n, const int64_t *order, const int64_t *label, int64_t parts,
                    const int64_t *size, int64_t *out);

/* How many labels there are of each class: count[0..classes). LAR_EARG with a sentence, which
 * starts with the row, for a label out of 1..classes. */
lar_status lar_label_count(const lar_tensor *label, int64_t classes, int64_t *count);

/* A 1 in the column of each row's label; x is (n, classes), contiguous, and holds zeros. */
lar_status lar_label_spread(const lar_tensor *label, const lar_tensor *x);

#endif
