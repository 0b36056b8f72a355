/*
 * io/decimal - decimal numbers in text, whatever the locale.
 *
 * Floor: io (may include: core).
 */
#ifndef LAR_IO_DECIMAL_H
#define LAR_IO_DECIMAL_H

#include <stdbool.h>

/* Read the number that starts at `s` (sign, digits, `point`, exponent; or inf), correctly
 * rounded. Returns the place after it, `s` where there is none; *whole: written without point
 * or exponent. The text must be followed by a byte that is not part of a number. */
const char *lar_decimal_read(const char *s, char point, double *out, bool *whole);

#endif
