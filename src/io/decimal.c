#include "io/decimal.h"

#include <locale.h>
#include <math.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 1100 }; /* letters of a number that is not written with '.' */

typedef struct parts {
  uint64_t m; /* digits that fit */
  int exp;    /* value = m * 10^exp, unless digits were lost */
  int digits;
  bool lost;
} parts;

static bool is_digit(char c) { return (unsigned char)(c - '0') < 10; }

static const char *digits(const char *p, parts *v, int scale) {
  for (; is_digit(*p); p++) {
    v->digits++;
    if (v->m < UINT64_C(900000000000000000)) {
      v->m = v->m * 10 + (uint64_t)(*p - '0');
      v->exp -= scale;
    } else {
      v->lost |= *p != '0';
      v->exp += 1 - scale;
    }
  }
  return p;
}

/* The exponent at p ("e-12"), if there is one. */
static const char *exponent(const char *p, parts *v) {
  if ((*p | 32) != 'e') return p;
  const char *q = p + 1;
  bool minus = *q == '-';
  if (*q == '-' || *q == '+') q++;
  if (!is_digit(*q)) return p;
  int e = 0;
  for (; is_digit(*q); q++)
    if (e < 100000) e = e * 10 + (*q - '0');
  v->exp += minus ? -e : e;
  return q;
}

static locale_t plain_locale(void) {
  static _Atomic(locale_t) made;
  locale_t l = atomic_load(&made);
  if (l != (locale_t)0) return l;
  l = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t none = (locale_t)0;
  if (!atomic_compare_exchange_strong(&made, &none, l)) {
    freelocale(l);
    l = none;
  }
  return l;
}

/* Numbers whose digits or exponent are beyond one exact multiplication. */
static bool slow(const char *s, const char *end, char point, double *out) {
  char copy[LONGEST];
  size_t n = (size_t)(end - s);
  locale_t l = plain_locale();
  if (l == (locale_t)0) return false;
  if (point != '.') {
    if (n >= sizeof copy) return false;
    memcpy(copy, s, n);
    copy[n] = 0;
    char *at = memchr(copy, point, n);
    if (at != NULL) *at = '.';
    s = copy;
  }
  *out = strtod_l(s, NULL, l);
  return true;
}

static const char *infinite(const char *s, const char *p, double *out) {
  if (strncasecmp(p, "inf", 3) != 0) return s;
  *out = *s == '-' ? -HUGE_VAL : HUGE_VAL;
  return p + (strncasecmp(p, "infinity", 8) == 0 ? 8 : 3);
}

const char *lar_decimal_read(const char *s, char point, double *out, bool *whole) {
  static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  parts v = {0};
  const char *start = s + (*s == '-' || *s == '+'), *p = digits(start, &v, 0);
  const char *integer = p;
  if (*p == point) p = digits(p + 1, &v, 1);
  if (v.digits == 0) {
    *whole = false;
    return infinite(s, start, out);
  }
  p = exponent(p, &v);
  *whole = p == integer;
  if (v.lost || v.m > (UINT64_C(1) << 53) || v.exp < -22 || v.exp > 22)
    return slow(s, p, point, out) ? p : s;
  double value = (double)v.m;
  value = v.exp < 0 ? value / ten[-v.exp] : value * ten[v.exp];
  *out = *s == '-' ? -value : value;
  return p;
}
