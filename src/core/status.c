#include "core/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[1024];

lar_status lar_fail(lar_status code, const char *fmt, ...) {
  char fresh[sizeof message]; /* arguments may point into the old message */
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(fresh, sizeof fresh, fmt, ap);
  va_end(ap);
  memcpy(message, fresh, sizeof message);
  return code;
}

const char *lar_why(void) { return message; }
