/*
 * bind/lb - helpers shared by the Lua binding files.
 *
 * Floor:    bind (with main the only floor that includes lua.h).
 * Contract: an object is pushed empty, with its metatable on, before the core fills it; all
 *           Lua checks come before the first core acquisition that no userdata owns. So an
 *           error raised at any point leaks nothing. No malloc here.
 */
#ifndef LAR_BIND_LB_H
#define LAR_BIND_LB_H

#include <lauxlib.h>
#include <lua.h>

#include "op/op.h"

/* ---- errors ---- */

/* Raise the core's message as a Lua error, at the caller's line, unless st is LAR_OK. */
void lb_check(lua_State *L, lar_status st);

/* The value at `arg` for a message, pushed: a number or string as it is, else its type. */
const char *lb_text(lua_State *L, int arg);

/* ---- calling back into Lua ---- */

/* Call the function below `nargs` arguments; an error is kept, LAR_ECALL returned, and the
 * original error object raised again by lb_check once the core has unwound. */
lar_status lb_call(lua_State *L, int nargs, int nresults);

/* Drop the error kept by lb_call, when it has been dealt with. */
void lb_forget_error(lua_State *L);

/* The Lua state that entered C last: callbacks from the core run on it. Binding functions
 * that may lead to one begin with lb_enter(L). */
void lb_enter(lua_State *L);
lua_State *lb_current(void);

/* Keep the value at `value` alive as long as the userdata at `owner`, in its user value, and
 * return a key by which lb_push_anchored finds it again. Never in the registry: cycles die. */
void *lb_anchor(lua_State *L, int owner, int value);

/* Everything anchored to the userdata at `from` is anchored to the one at `owner` too. */
void lb_anchor_all(lua_State *L, int owner, int from);

/* Push the anchored value (nil when its owners are gone). */
void lb_push_anchored(lua_State *L, void *key);

/* Push the registry's table of that key, made when there is none. Its values are weak: it
 * finds what others keep, and keeps nothing. */
void lb_push_weak(lua_State *L, const void *key);

/* What a schedule or lambda function is called with: the table at `index`. */
typedef struct lb_state {
  lua_State *L;
  int index;
} lb_state;

/* ---- classes ---- */

/* Push a zeroed userdata of `size` bytes wearing metatable `tname`. */
void *lb_new(lua_State *L, size_t size, const char *tname);

/* Make metatable `tname`: methods behind __index (unless meta has its own), and meta. */
void lb_class(lua_State *L, const char *tname, const luaL_Reg *methods, const luaL_Reg *meta);

/* ---- tensors ---- */

#define LB_TENSOR "lariat.tensor"

/* Push the metatable of tensors, made when there is none. */
void lb_open_boxes(lua_State *L);

/* Push an empty tensor object; fill the address with a new reference. */
lar_var **lb_tensor_new(lua_State *L);
lar_var **lb_tensor_new_as(lua_State *L, int class); /* its metatable is that pseudo-index */

/* The value in a tensor object: raises for anything else, or returns NULL. */
lar_var *lb_tensor(lua_State *L, int arg);
lar_var *lb_tensor_test(lua_State *L, int arg);

/* Where the tensor object at `arg` keeps its value (NULL when closed), or NULL. */
lar_var **lb_tensor_box(lua_State *L, int arg);

/* Push v (a new reference is taken), or nil for NULL. */
void lb_tensor_push(lua_State *L, lar_var *v);

/* Tensor, number, boolean or nested table at `arg` as a value; what is made is pushed, to
 * own it. `like` is the dtype a number takes on (see lb_number_dtype). */
lar_var *lb_tensor_from(lua_State *L, int arg, lar_dtype like);

/* dtype of a Lua number or boolean meeting a tensor of dtype t. */
lar_dtype lb_number_dtype(lua_State *L, int arg, lar_dtype t);

/* A tensor from a nested table of numbers or booleans, pushed; LAR_NDTYPE: by content. */
lar_var *lb_tensor_parse(lua_State *L, int arg, lar_dtype dtype);

/* Collect garbage when tensors, which Lua's collector does not see, take much memory. */
void lb_pressure(lua_State *L);

/* ---- options: a keyword table ---- */

/* Raise on a key of the table at `arg` that is not among `known` (ended by NULL). */
void lb_known_keys(lua_State *L, int arg, const char *owner, const char *const *known);

/* Fields of the table at `arg` (may be absent: nil or none), with a default. */
double lb_opt_number(lua_State *L, int arg, const char *key, double def);
bool lb_opt_flag(lua_State *L, int arg, const char *key, bool def);
lar_dtype lb_opt_dtype(lua_State *L, int arg, lar_dtype def);

/* The dtype named by the string at `arg`. */
lar_dtype lb_dtype(lua_State *L, int arg);

/* Read a table of parameters by a schema into `self` (already at its defaults). Keys in
 * `others` (ended by NULL, may be NULL) are left alone; any other is an error. */
void lb_params(lua_State *L, int arg, const char *owner, const lar_param *schema, void *self,
               const char *const *others);

/* Set one parameter from the Lua value at `arg`. */
void lb_param(lua_State *L, int arg, const char *owner, const lar_param *schema, void *self,
              const char *name);

/* Is the value at `arg` a table with keys rather than a list? */
bool lb_is_options(lua_State *L, int arg);

/* Shape from integers at `arg`.. or one list; *last is the index after it. */
int lb_shape(lua_State *L, int arg, int64_t *shape, int *last);

/* ---- ops ---- */

/* Read arguments by op->args from the stack at 1.., apply, push the results. The running
 * function's second upvalue is the metatable of tensors. */
int lb_op_call(lua_State *L, const lar_op *op);

/* The same in place: the first argument is overwritten and returned. */
int lb_op_into(lua_State *L, const lar_op *op);

/* ---- the parts of lariat.core, each adding to the table on top ---- */

void lb_open_tensor(lua_State *L);
void lb_open_create(lua_State *L);
void lb_open_grad(lua_State *L);
void lb_open_nn(lua_State *L);
void lb_open_loss(lua_State *L);
void lb_open_system(lua_State *L);
void lb_open_io(lua_State *L);
void lb_open_train(lua_State *L);
void lb_open_plan(lua_State *L);
void lb_open_sparse(lua_State *L);
void lb_open_pack(lua_State *L);
void lb_open_family(lua_State *L);
void lb_open_glm(lua_State *L);

/* Methods of tensors that live in files of their own. */
int lb_tensor_index(lua_State *L);    /* t[...] with a non-string key */
int lb_tensor_newindex(lua_State *L); /* t[...] = v */
int lb_tensor_tostring(lua_State *L);
int lb_tensor_split(lua_State *L);
int lb_tensor_chunk(lua_State *L);
int lb_tensor_unbind(lua_State *L);

#endif
