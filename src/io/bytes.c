#include "io/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "core/mem.h"

enum { PIECE = 1 << 30, FIRST = 1 << 16 };

void lar_bytes_clear(lar_bytes *b) {
  lar_free(b->data);
  *b = (lar_bytes){0};
}

/* ---- gzip ---- */

static voidpf take(voidpf ctx, uInt n, uInt size) {
  void *p;
  (void)ctx;
  return lar_alloc_raw(&p, n, size) == LAR_OK ? p : Z_NULL;
}

static void drop(voidpf ctx, voidpf p) {
  (void)ctx;
  lar_free(p);
}

static bool is_gzip(const lar_bytes *b) {
  return b->size > 2 && (uint8_t)b->data[0] == 0x1f && (uint8_t)b->data[1] == 0x8b;
}

static uInt at_most(size_t n) { return n > PIECE ? PIECE : (uInt)n; }

/* Does another member follow at z? What else may stand there is left alone, as by gzip. */
static bool next_member(z_stream *z, size_t left) {
  return z->avail_in + left > 2 && z->next_in[0] == 0x1f && z->next_in[1] == 0x8b &&
         inflateReset(z) == Z_OK;
}

/* Inflate the `left` bytes at z->next_in into *out, which grows. */
static lar_status inflate_all(z_stream *z, const char *name, size_t left, lar_bytes *out,
                              size_t *cap) {
  int r = Z_OK;
  while (r != Z_STREAM_END || next_member(z, left)) {
    if (z->avail_in == 0) z->avail_in = at_most(left), left -= z->avail_in;
    LAR_TRY(lar_grow((void **)&out->data, cap, out->size + FIRST, 1));
    bool starved = z->avail_in == 0;
    uInt room = at_most(*cap - out->size - 1);
    z->next_out = (Bytef *)out->data + out->size;
    z->avail_out = room;
    r = inflate(z, Z_NO_FLUSH);
    out->size += room - z->avail_out;
    if (r == Z_MEM_ERROR) return lar_fail(LAR_ENOMEM, "out of memory inflating %s", name);
    if (r == Z_BUF_ERROR && starved)
      return lar_fail(LAR_EIO, "%s: the gzip data ends too early", name);
    if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
      return lar_fail(LAR_EIO, "%s: broken gzip data (%s)", name, z->msg ? z->msg : "damaged");
  }
  out->data[out->size] = 0;
  return LAR_OK;
}

/* Replace gzip data by what is in it. */
static lar_status unwrap(lar_bytes *b, const char *name) {
  z_stream z = {.zalloc = take, .zfree = drop};
  lar_bytes plain = {0};
  size_t cap = 0;
  if (!is_gzip(b)) return LAR_OK;
  z.next_in = (Bytef *)b->data;
  if (inflateInit2(&z, 15 + 16) != Z_OK)
    return lar_fail(LAR_ENOMEM, "out of memory inflating %s", name);
  lar_status st = inflate_all(&z, name, b->size, &plain, &cap);
  (void)inflateEnd(&z);
  if (st != LAR_OK) {
    lar_bytes_clear(&plain);
    return st;
  }
  lar_bytes_clear(b);
  *b = plain;
  return LAR_OK;
}

/* ---- reading ---- */

/* Read to the end: `expect` bytes in a file whose size is known, any number in a pipe. */
static lar_status slurp(int fd, const char *path, size_t expect, lar_bytes *out) {
  size_t cap = 0;
  for (;;) {
    size_t need = out->size < expect ? expect + 2 : out->size + FIRST;
    LAR_TRY(lar_grow((void **)&out->data, &cap, need, 1));
    ssize_t got = read(fd, out->data + out->size, at_most(cap - out->size - 1));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return lar_fail(LAR_EIO, "%s: %s", path, strerror(errno));
    if (got == 0) break;
    out->size += (size_t)got;
  }
  out->data[out->size] = 0;
  return LAR_OK;
}

lar_status lar_bytes_read(lar_bytes *out, const char *path) {
  struct stat info;
  *out = (lar_bytes){0};
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return lar_fail(LAR_EIO, "%s: %s", path, strerror(errno));
  size_t expect = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? (size_t)info.st_size : 0;
  lar_status st = slurp(fd, path, expect, out);
  (void)close(fd);
  if (st == LAR_OK) st = unwrap(out, path);
  if (st != LAR_OK) lar_bytes_clear(out);
  return st;
}

lar_status lar_bytes_copy(lar_bytes *out, const char *name, const void *data, size_t size) {
  void *p;
  *out = (lar_bytes){0};
  LAR_TRY(lar_alloc_raw(&p, size + 1, 1));
  memcpy(p, data, size);
  ((char *)p)[size] = 0;
  *out = (lar_bytes){.data = p, .size = size};
  lar_status st = unwrap(out, name);
  if (st != LAR_OK) lar_bytes_clear(out);
  return st;
}

/* ---- writing ---- */

static bool write_all(int fd, const char *p, size_t n) {
  while (n > 0) {
    ssize_t put = write(fd, p, at_most(n));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return false;
    p += put;
    n -= (size_t)put;
  }
  return true;
}

/* A file takes the place of what has its name: that must not be a device or a pipe. */
static lar_status replaceable(const char *path) {
  struct stat there;
  if (stat(path, &there) != 0 || S_ISREG(there.st_mode)) return LAR_OK;
  return lar_fail(LAR_EIO, "%s is %s, not a file; give another name", path,
                  S_ISDIR(there.st_mode) ? "a directory" : "a device or a pipe");
}

/* A file that grows beyond what is allowed is an error to report, and no signal to die of. */
static bool write_quietly(int fd, const char *head, size_t nhead, const char *body,
                          size_t nbody) {
  const struct timespec now = {0};
  sigset_t large, former;
  (void)sigemptyset(&large);
  (void)sigaddset(&large, SIGXFSZ);
  (void)pthread_sigmask(SIG_BLOCK, &large, &former);
  bool good = write_all(fd, head, nhead) && write_all(fd, body, nbody) && fsync(fd) == 0;
  int why = errno;
  while (!good && sigtimedwait(&large, NULL, &now) > 0) continue;
  (void)pthread_sigmask(SIG_SETMASK, &former, NULL);
  errno = why;
  return good;
}

lar_status lar_bytes_save(const char *path, const void *head, size_t nhead, const void *body,
                          size_t nbody) {
  char fresh[4096];
  int n = snprintf(fresh, sizeof fresh, "%s.%ld.part", path, (long)getpid());
  if (n < 0 || (size_t)n >= sizeof fresh)
    return lar_fail(LAR_EIO, "%.200s...: the path is too long", path);
  LAR_TRY(replaceable(path));
  int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0) return lar_fail(LAR_EIO, "%s: %s", path, strerror(errno));
  bool good = write_quietly(fd, head, nhead, body, nbody);
  int why = errno;
  if (close(fd) != 0 && good) good = false, why = errno;
  if (good && rename(fresh, path) != 0) good = false, why = errno;
  if (good) return LAR_OK;
  (void)unlink(fresh);
  return lar_fail(LAR_EIO, "%s: %s", path, strerror(why));
}
