/* Tensor objects: how they are born, told from others, and die.
 *
 * Lua runs finalisers one by one and frees such objects a cycle later, which costs more than
 * the small operation that a tensor came from. So tensors have none: a tensor object is freed
 * by the collector like a string, through the allocator of the Lua state. There we look on,
 * and the value goes with its object. */
#include <stddef.h>
#include <unistd.h>

#include "bind/lb.h"
#include "core/mem.h"

/* An object's memory. `mark` tells it from any other without looking up a metatable. Hardly
 * anything else that Lua frees is of so odd a length. */
typedef struct box {
  lar_var *v;
  uint64_t mark;
  char odd;
} box;

enum { LENGTH = offsetof(box, odd) + 1 };

/* Blocks that boxes lay in are kept for the next ones: the C allocator is slow with many that
 * come and go at once. Under a sanitizer none are, so that misuse is seen. */
#ifdef __SANITIZE_ADDRESS__
enum { SPARE = 0 };
#else
enum { SPARE = 4096 };
#endif

typedef struct spare {
  struct spare *next;
} spare;

/* One for each Lua universe. */
typedef struct heap {
  lua_Alloc f;
  void *ud;
  const void *end;   /* the block of the universe itself, freed last */
  size_t at, length; /* of a box in its block; of such a block */
  char *first;       /* the block of the first box, from which these are learnt */
  size_t first_length;
  spare *spares;
  int nspare;
} heap;

static uint64_t mark;        /* by chance: no script can write it into a string of its own */
static const char metatable; /* its address is all that counts */

static void bury(char *block, size_t at) {
  box *b = (box *)(void *)(block + at);
  if (b->mark != mark) return;
  b->mark = 0; /* the memory may be handed out again as it is */
  lar_var_unref(b->v);
}

static bool keep(heap *h, void *block) {
  if (h->nspare == SPARE) return false;
  spare *s = block;
  s->next = h->spares;
  h->spares = s;
  h->nspare++;
  return true;
}

static void *use(heap *h) {
  spare *s = h->spares;
  h->spares = s->next;
  h->nspare--;
  return s;
}

static void end(heap *h) {
  while (h->spares != NULL) (void)h->f(h->ud, use(h), h->length, 0);
  lar_free(h);
}

static void *look_on(void *ud, void *p, size_t old, size_t size) {
  heap *h = ud;
  lua_Alloc f = h->f;
  ud = h->ud;
  if (size == 0 && p != NULL) {
    if (old == h->length) {
      bury(p, h->at);
      if (keep(h, p)) return NULL;
    }
    if (p == h->end) end(h);
    return f(ud, p, old, 0);
  }
  if (p == NULL && size == h->length && h->spares != NULL) return use(h);
  char *made = f(ud, p, old, size);
  if (p == NULL && old == LUA_TUSERDATA && h->first == NULL) {
    h->first = made;
    h->first_length = size;
  }
  return made;
}

static heap *attend(lua_State *L) {
  void *p;
  lb_check(L, lar_alloc(&p, 1, sizeof(heap)));
  heap *h = p;
  h->f = lua_getallocf(L, &h->ud);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  h->end = lua_getextraspace(lua_tothread(L, -1));
  h->length = SIZE_MAX; /* not known yet */
  lua_pop(L, 1);
  lua_setallocf(L, look_on, h);
  return h;
}

static void learn(lua_State *L, heap *h) {
  h->first = NULL;
  box *b = lua_newuserdatauv(L, LENGTH, 0);
  b->mark = 0;
  h->at = (size_t)((char *)b - h->first);
  h->length = h->first_length;
  lua_pop(L, 1);
}

void lb_open_boxes(lua_State *L) {
  void *ud;
  if (mark == 0 && (getentropy(&mark, sizeof mark) != 0 || mark == 0))
    luaL_error(L, "the system has no random numbers to give");
  heap *h = lua_getallocf(L, &ud) == look_on ? ud : attend(L);
  if (h->length == SIZE_MAX) learn(L, h);
  luaL_newmetatable(L, LB_TENSOR);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &metatable);
}

static box *bare(lua_State *L) {
  box *b = lua_newuserdatauv(L, LENGTH, 0);
  b->v = NULL;
  b->mark = mark;
  return b;
}

lar_var **lb_tensor_new(lua_State *L) {
  box *b = bare(L);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &metatable);
  lua_setmetatable(L, -2);
  return &b->v;
}

lar_var **lb_tensor_new_as(lua_State *L, int class) {
  box *b = bare(L);
  lua_pushvalue(L, class);
  lua_setmetatable(L, -2);
  return &b->v;
}

lar_var **lb_tensor_box(lua_State *L, int arg) {
  box *b = lua_touserdata(L, arg);
  return b != NULL && lua_rawlen(L, arg) == LENGTH && b->mark == mark ? &b->v : NULL;
}

lar_var *lb_tensor_test(lua_State *L, int arg) {
  lar_var **p = lb_tensor_box(L, arg);
  if (p == NULL) return NULL;
  if (*p == NULL) luaL_error(L, "this tensor has been closed");
  return *p;
}
