/*
 * core/status - how a core function says that it failed.
 *
 * Floor:    core (may include: C11 headers only).
 * Owns:     one message buffer per thread.
 * Contract: every fallible lar_ function returns lar_status; on anything but LAR_OK its
 *           outputs are still safe to clear and the reason, one sentence, is in lar_why()
 *           until the next failure on the same thread.
 */
#ifndef LAR_CORE_STATUS_H
#define LAR_CORE_STATUS_H

typedef enum lar_status {
  LAR_OK = 0,
  LAR_ENOMEM, /* allocation refused */
  LAR_EARG,   /* a value outside its domain */
  LAR_ESHAPE, /* shapes or lengths that do not conform */
  LAR_EDTYPE, /* dtype not supported here */
  LAR_EMATH,  /* a numeric breakdown: singular, NaN, lost descent */
  LAR_EINTR,  /* the user asked to stop */
  LAR_EIO,    /* a file that cannot be read or written */
  LAR_ECALL,  /* a caller-supplied callback failed; the caller knows why */
} lar_status;

/* Record a message (printf style) and return `code`. */
lar_status lar_fail(lar_status code, const char *fmt, ...)
  __attribute__((format(printf, 2, 3)));

/* The calling thread's last message; "" if none. Never NULL. */
const char *lar_why(void);

/* Leave the enclosing function with the status of `expr` unless that is LAR_OK. */
#define LAR_TRY(expr)              \
  do {                             \
    lar_status st_ = (expr);       \
    if (st_ != LAR_OK) return st_; \
  } while (0)

/* The same for functions with something to clear: jump to `done:` with `st` set. */
#define LAR_GO(expr)             \
  do {                           \
    st = (expr);                 \
    if (st != LAR_OK) goto done; \
  } while (0)

#endif
