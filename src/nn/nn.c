#include "nn/nn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "kern/copy.h"

const lar_layer *lar_layer_find(const char *name) {
  for (const lar_layer *const *p = lar_layers; *p != NULL; p++)
    if (strcmp((*p)->name, name) == 0) return *p;
  return NULL;
}

/* ---- birth and death ---- */

lar_module *lar_module_ref(lar_module *m) {
  if (m != NULL) m->refs++;
  return m;
}

static void free_slots(lar_module *m) {
  for (int k = 0; k < m->nslot; k++) {
    lar_free(m->slot[k].name);
    lar_var_unref(m->slot[k].var);
  }
  lar_free(m->slot);
}

void lar_module_unref(lar_module *m) {
  if (m == NULL || --m->refs > 0) return;
  for (int k = 0; k < m->nchild; k++) lar_module_unref(m->child[k]);
  if (m->drop != NULL) m->drop(m->ctx);
  free_slots(m);
  lar_free(m->child);
  lar_free(m->label);
  lar_free(m->title);
  lar_free(m->init);
  lar_free(m->self);
  lar_free(m);
}

static lar_status adopt(lar_module *m, int nchild, lar_module *const *child) {
  void *p;
  if (nchild == 0) return LAR_OK;
  LAR_TRY(lar_alloc(&p, (size_t)nchild, sizeof *m->child));
  m->child = p;
  for (int k = 0; k < nchild; k++) m->child[k] = lar_module_ref(child[k]);
  m->nchild = nchild;
  return LAR_OK;
}

static lar_status copy_text(char **out, const char *text) {
  *out = NULL;
  return text == NULL ? LAR_OK : lar_strdup(out, text);
}

/* All but parameters. */
static lar_status bare(lar_module **out, const lar_layer *type, const void *self,
                       const char *init, int nchild, lar_module *const *child) {
  void *p;
  lar_status st = LAR_OK;
  *out = NULL;
  LAR_TRY(lar_alloc(&p, 1, sizeof(lar_module)));
  lar_module *m = p;
  m->type = type;
  m->refs = 1;
  m->training = true;
  LAR_GO(lar_alloc(&m->self, type->size + 1, 1));
  if (self != NULL)
    memcpy(m->self, self, type->size);
  else
    lar_param_default(type->params, m->self);
  LAR_GO(copy_text(&m->init, init));
  LAR_GO(adopt(m, nchild, child));
done:
  if (st == LAR_OK)
    *out = m;
  else
    lar_module_unref(m);
  return st;
}

static lar_status named(const char *name, lar_status st) {
  if (st == LAR_OK || st == LAR_ECALL) return st;
  return lar_fail(st, "%s: %s", name, lar_why());
}

/* Two layers of one name would have parameters of one name. */
static lar_status check_labels(const lar_module *m) {
  for (int k = 0; k < m->nchild; k++)
    for (int j = 0; j < k; j++) {
      const char *a = m->child[k]->label, *b = m->child[j]->label;
      if (a != NULL && b != NULL && m->child[k] != m->child[j] && strcmp(a, b) == 0)
        return lar_fail(LAR_EARG, "two layers are named '%s'", a);
    }
  return LAR_OK;
}

lar_status lar_module_new(lar_module **out, const lar_layer *type, const void *self,
                          const char *init, int nchild, lar_module *const *child) {
  lar_status st = bare(out, type, self, init, nchild, child);
  if (st == LAR_OK) st = check_labels(*out);
  if (st == LAR_OK && type->init != NULL) st = type->init(*out);
  if (st == LAR_OK) return LAR_OK;
  lar_module_unref(*out);
  *out = NULL;
  return named(type->name, st);
}

const char *lar_module_name(const lar_module *m) {
  return m->title != NULL ? m->title : m->type->name;
}

lar_status lar_module_label(lar_module *m, const char *label) {
  char *copy;
  if (label != NULL &&
      (strspn(label, "0123456789") > 0 || *label == '\0' || strpbrk(label, ".*?") != NULL))
    return lar_fail(LAR_EARG,
                    "named: '%s' is no name for a layer: it must not be empty, begin with a "
                    "digit or hold '.', '*' or '?'",
                    label);
  LAR_TRY(copy_text(&copy, label));
  lar_free(m->label);
  m->label = copy;
  return LAR_OK;
}

lar_status lar_module_title(lar_module *m, const char *title) {
  char *copy;
  LAR_TRY(copy_text(&copy, title));
  lar_free(m->title);
  m->title = copy;
  return LAR_OK;
}

/* ---- slots ---- */

lar_status lar_module_put(lar_module *m, const char *name, lar_pkind kind, bool buffer,
                          lar_var *v) {
  void *at = m->slot;
  lar_status st = lar_grow(&at, &m->slot_cap, (size_t)m->nslot + 1, sizeof *m->slot);
  m->slot = at;
  LAR_TRY(st);
  lar_slot *slot = &m->slot[m->nslot];
  *slot = (lar_slot){.kind = kind, .buffer = buffer};
  LAR_TRY(lar_strdup(&slot->name, name));
  slot->var = lar_var_ref(v);
  m->nslot++;
  return LAR_OK;
}

lar_status lar_module_add(lar_module *m, const char *name, lar_pkind kind, bool buffer,
                          int ndim, const int64_t *shape, lar_var **out) {
  lar_var *v;
  *out = NULL;
  LAR_TRY(lar_var_init(&v, lar_default_dtype, ndim, shape));
  v->requires_grad = !buffer;
  lar_status st = lar_module_put(m, name, kind, buffer, v);
  if (st == LAR_OK) *out = v;
  lar_var_unref(v);
  return st;
}

lar_var *lar_module_slot(const lar_module *m, const char *name) {
  for (int k = 0; k < m->nslot; k++)
    if (strcmp(m->slot[k].name, name) == 0) return m->slot[k].var;
  return NULL;
}

const char *lar_module_child_name(const lar_module *m, int k, char buf[16]) {
  if (m->child[k]->label != NULL) return m->child[k]->label;
  (void)snprintf(buf, 16, "%d", k + 1);
  return buf;
}

/* ---- forward ---- */

/* The modules whose forward is running on this thread, for the place in messages. */
typedef struct frame {
  const lar_module *m;
  const struct frame *up;
} frame;

static _Thread_local const frame *running;
static _Thread_local bool told; /* the failure under way names its layer already */

static int position(const lar_module *parent, const lar_module *m) {
  for (int k = 0; k < parent->nchild; k++)
    if (parent->child[k] == m) return k;
  return -1;
}

/* "2.1": where the innermost running module is, in the outermost. */
static void place(const frame *f, char *buf, size_t size) {
  char number[16];
  buf[0] = '\0';
  for (; f->up != NULL; f = f->up) {
    int k = position(f->up->m, f->m);
    if (k < 0) return; /* called from somewhere else */
    const char *name = lar_module_child_name(f->up->m, k, number);
    size_t n = strlen(name), have = strlen(buf), dot = have > 0;
    if (n + dot + have + 1 > size) return;
    memmove(buf + n + dot, buf, have + 1);
    memcpy(buf, name, n);
    if (dot) buf[n] = '.';
  }
}

/* Put the layer and its place before a message. */
static lar_status placed(const frame *f, lar_status st) {
  char where[128];
  if (told || st == LAR_ECALL) return st;
  told = true;
  place(f, where, sizeof where);
  if (where[0] == '\0') return named(lar_module_name(f->m), st);
  return lar_fail(st, "%s (layer \"%s\"): %s", lar_module_name(f->m), where, lar_why());
}

static _Thread_local lar_outputs *watching;

lar_outputs *lar_module_watch(lar_outputs *list) {
  lar_outputs *former = watching;
  watching = list;
  return former;
}

static lar_status note_output(const frame *f, lar_var *y) {
  char where[128];
  unsigned traits = f->m->type->traits;
  place(f, where, sizeof where);
  lar_output o = {.name = where,
                  .kind = lar_module_name(f->m),
                  .container = (traits & LAR_LAYER_CONTAINER) != 0 || f->m->nchild > 0,
                  .activation = (traits & LAR_LAYER_ACTIVATION) != 0,
                  .var = y};
  return lar_outputs_add(watching, &o);
}

static lar_var *called(lar_module *m, lar_scope *s, lar_var *x) {
  lar_var *y = NULL;
  lar_status st = m->call(m->ctx, m, x, &y);
  told = false; /* what failed inside came back through Lua */
  return st == LAR_OK ? lar_scope_own(s, y) : lar_scope_fail(s, st);
}

lar_var *lar_module_forward(lar_module *m, lar_scope *s, lar_var *x) {
  if (s->status != LAR_OK || x == NULL) return NULL;
  lar_scope inner;
  lar_scope_init(&inner);
  frame f = {m, running};
  running = &f;
  told = false;
  lar_module_ref(m);
  lar_var *y = m->call != NULL ? called(m, &inner, x) : m->type->forward(m, &inner, x), *out;
  lar_status st = lar_scope_take(&inner, y, &out);
  lar_scope_clear(&inner);
  if (st == LAR_OK && watching != NULL && (st = note_output(&f, out)) != LAR_OK)
    lar_var_unref(out);
  if (st != LAR_OK) st = placed(&f, st);
  running = f.up;
  lar_module_unref(m);
  return st == LAR_OK ? lar_scope_own(s, out) : lar_scope_fail(s, st);
}

lar_status lar_module_shape(const lar_module *m, int *ndim, int64_t *shape) {
  if (m->call != NULL) {
    *ndim = LAR_UNKNOWN;
    return LAR_OK;
  }
  return m->type->shape == NULL ? LAR_OK : m->type->shape(m, ndim, shape);
}

lar_var *lar_layer_fail(lar_scope *s, lar_status code, const char *fmt, ...) {
  char text[384];
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  return lar_scope_fail(s, lar_fail(code, "%s", text));
}

/* ---- modes and dtype ---- */

void lar_module_train(lar_module *m, bool training) {
  m->training = training;
  for (int k = 0; k < m->nchild; k++) lar_module_train(m->child[k], training);
}

/* The value stays the same object; a derivative recorded with it is told of the change. */
static lar_status convert(lar_var *v, lar_dtype dtype) {
  lar_tensor t = {0};
  if (v->t.dtype == dtype || !lar_dtype_is_float(v->t.dtype)) return LAR_OK;
  LAR_TRY(lar_clone(&t, &v->t, dtype));
  t.storage->version = v->t.storage->version + 1;
  lar_tensor_clear(&v->t);
  v->t = t;
  return v->grad != NULL ? convert(v->grad, dtype) : LAR_OK;
}

lar_status lar_module_to(lar_module *m, lar_dtype dtype) {
  if (!lar_dtype_is_float(dtype))
    return lar_fail(LAR_EDTYPE, "to: parameters cannot be %s; they are float32 or float64",
                    lar_dtype_name(dtype));
  for (int k = 0; k < m->nslot; k++) LAR_TRY(convert(m->slot[k].var, dtype));
  for (int k = 0; k < m->nchild; k++) LAR_TRY(lar_module_to(m->child[k], dtype));
  return LAR_OK;
}

void lar_module_swap(lar_module *m, const lar_var *from, lar_var *to) {
  for (int k = 0; k < m->nslot; k++) {
    lar_var *former = m->slot[k].var;
    if (former != from) continue;
    m->slot[k].var = lar_var_ref(to);
    lar_var_unref(former);
  }
  for (int k = 0; k < m->nchild; k++) lar_module_swap(m->child[k], from, to);
}

/* ---- lists ---- */

static bool seen(const lar_params *p, const lar_var *v) {
  for (int k = 0; k < p->n; k++)
    if (p->at[k].var == v) return true;
  return false;
}

typedef struct walk {
  lar_params *out;
  bool buffers;
  char name[256];
} walk;

static lar_status add_slots(const lar_module *m, walk *w, size_t n) {
  for (int k = 0; k < m->nslot; k++) {
    const lar_slot *slot = &m->slot[k];
    if (slot->buffer != w->buffers || seen(w->out, slot->var)) continue;
    (void)snprintf(w->name + n, sizeof w->name - n, "%s", slot->name);
    LAR_TRY(lar_params_add(w->out, w->name, slot->var, slot->kind));
  }
  return LAR_OK;
}

static lar_status list(const lar_module *m, walk *w, size_t n) {
  char number[16];
  LAR_TRY(add_slots(m, w, n));
  for (int k = 0; k < m->nchild; k++) {
    int more =
      snprintf(w->name + n, sizeof w->name - n, "%s.", lar_module_child_name(m, k, number));
    if (n + (size_t)more >= sizeof w->name)
      return lar_fail(LAR_EARG, "a parameter's name is longer than %zu letters",
                      sizeof w->name);
    LAR_TRY(list(m->child[k], w, n + (size_t)more));
  }
  return LAR_OK;
}

lar_status lar_module_params(const lar_module *m, lar_params *out) {
  walk w = {.out = out};
  return list(m, &w, 0);
}

lar_status lar_module_buffers(const lar_module *m, lar_params *out) {
  walk w = {.out = out, .buffers = true};
  return list(m, &w, 0);
}

/* ---- clone ---- */

/* What has been copied so far: pairs of original and copy. */
typedef struct pairs {
  size_t n, cap;
  struct pair {
    const void *from;
    void *to;
  } * at;
} pairs;

static void *copy_of(const pairs *p, const void *from) {
  for (size_t k = 0; k < p->n; k++)
    if (p->at[k].from == from) return p->at[k].to;
  return NULL;
}

static lar_status note(pairs *p, const void *from, void *to) {
  void *at = p->at;
  lar_status st = lar_grow(&at, &p->cap, p->n + 1, sizeof *p->at);
  p->at = at;
  if (st == LAR_OK) p->at[p->n++] = (struct pair){from, to};
  return st;
}

static lar_status clone_slot(lar_module *m, const lar_slot *slot, pairs *done) {
  lar_var *v = lar_var_ref(copy_of(done, slot->var));
  lar_status st = LAR_OK;
  if (v == NULL) {
    lar_tensor t = {0};
    st = lar_clone(&t, &slot->var->t, slot->var->t.dtype);
    if (st == LAR_OK) st = lar_var_new(&v, &t);
    lar_tensor_clear(&t);
    if (st == LAR_OK) {
      v->requires_grad = slot->var->requires_grad;
      st = note(done, slot->var, v);
    }
  }
  if (st == LAR_OK) st = lar_module_put(m, slot->name, slot->kind, slot->buffer, v);
  lar_var_unref(v);
  return st;
}

static lar_status clone(lar_module **out, const lar_module *m, pairs *done);

static lar_status clone_parts(lar_module *c, const lar_module *m, pairs *done) {
  void *p;
  c->training = m->training;
  c->call = m->call;
  LAR_TRY(copy_text(&c->label, m->label));
  LAR_TRY(copy_text(&c->title, m->title));
  for (int k = 0; k < m->nslot; k++) LAR_TRY(clone_slot(c, &m->slot[k], done));
  if (m->nchild == 0) return LAR_OK;
  LAR_TRY(lar_alloc(&p, (size_t)m->nchild, sizeof *c->child));
  c->child = p;
  for (int k = 0; k < m->nchild; k++) {
    LAR_TRY(clone(&c->child[k], m->child[k], done));
    c->nchild++;
  }
  return LAR_OK;
}

static lar_status clone(lar_module **out, const lar_module *m, pairs *done) {
  lar_module *c = copy_of(done, m);
  *out = lar_module_ref(c);
  if (c != NULL) return LAR_OK;
  LAR_TRY(bare(&c, m->type, m->self, m->init, 0, NULL));
  lar_status st = clone_parts(c, m, done);
  if (st == LAR_OK) st = note(done, m, c);
  if (st == LAR_OK)
    *out = c;
  else
    lar_module_unref(c);
  return st;
}

lar_status lar_module_clone(lar_module **out, const lar_module *m) {
  pairs done = {0};
  lar_status st = clone(out, m, &done);
  lar_free(done.at);
  return st;
}
