/* What the parts of the shim share. */
#ifndef REPLHOST_STATE_H
#define REPLHOST_STATE_H

#include <signal.h>
#include <stdatomic.h>

#include "CLuaShim.h"

/* A coroutine that has resumed another and stands on the C stack below it. */
typedef struct rh_resumer {
  lua_State *thread;
  struct rh_resumer *below;
} rh_resumer;

/* Small blocks come from slabs, one list of those with room for each size. */
enum { RH_SMALL_STEP = 16, RH_SMALL_SIZES = 40 };
typedef struct rh_slab rh_slab;

struct rh_state {
  lua_State *main;
  void *owner;
  rh_function deliver;
  void (*release)(void *object);

  rh_slab *slabs[RH_SMALL_SIZES];
  size_t used;    /* by Lua */
  size_t charged; /* by the host, on the script's behalf */
  size_t limit;
  uint64_t fail_in;
  bool collects_young;
  int host_depth;

  lua_State *root;              /* the running task's coroutine, NULL outside */
  lua_State *volatile running;  /* the innermost coroutine; a signal handler reads it */
  rh_resumer *resumers;
  bool is_closing;              /* lua_close runs */
  void **late;                  /* objects made meanwhile: Lua finalizes no more what finalizers make then */
  size_t late_count;
  bool host_wait;               /* the yield on its way up is a host function's */
  int closing;                  /* coroutines on the C stack that run their `<close>` variables */

  volatile sig_atomic_t requested; /* an rh_interrupt, set by a signal handler */
  rh_interrupt killing;            /* what the running task is being stopped for */
  int raised;                      /* how often `killing` was raised */
  int memory_error;                /* a reference to what Lua raises without memory: no handler sees it */
  unsigned allowed;
  char *directory; /* the only one whose files may be touched; NULL = any */
  int exit_code;
  int interrupt_errors[RH_INTERRUPT_KINDS];
  char interrupt_position[160];
  _Atomic uint64_t progress;
  uint64_t progress_counter;

  /* What another thread wants: code whose progress is still `asked_at` (0 = any) is to stop for `asked_for`. */
  _Atomic uint64_t asked_at;
  _Atomic int asked_for;
};

/* Each coroutine's extra space holds its state. The lowest bit marks one that only the scheduler may resume: a task's,
   or one that waits for the host. (A flag there needs no memory, so setting it cannot fail.) */
static inline uintptr_t *extra_space(lua_State *L) { return lua_getextraspace(L); }
static inline rh_state *state_of(lua_State *L) { return (rh_state *)(*extra_space(L) & ~(uintptr_t)1); }
static inline bool is_hosted(lua_State *L) { return *extra_space(L) & 1; }
static inline void set_hosted(lua_State *L, bool value) {
  *extra_space(L) = (*extra_space(L) & ~(uintptr_t)1) | (value ? 1 : 0);
}

static inline size_t memory_used(rh_state *S) { return S->used + S->charged; }
static inline bool would_be_over_limit(rh_state *S, size_t growth) {
  return S->limit > 0 && (growth > S->limit || memory_used(S) > S->limit - growth);
}

static inline void note_progress(rh_state *S) {
  atomic_store_explicit(&S->progress, ++S->progress_counter, memory_order_relaxed);
}

/* The lua_Alloc of every state; `context` is the state. */
void *rh_allocate(void *context, void *block, size_t old_size, size_t new_size);
/* After lua_close: no block is in use. */
void rh_free_slabs(rh_state *S);

/* Makes `L` raise the requested interrupt at its next instruction; one that is being stopped has its grace first. */
void rh_arm(lua_State *L);
/* Goes on raising what the running task is being stopped for, if it is; the failed call's error is on top. */
void rh_pass_interrupt(lua_State *L);
/* Whether a handler's pcall may catch the error on top: not what stops it, and not without end. */
bool rh_may_catch(lua_State *L);

/* Runs what `<close>` asks for in the suspended or dead `co`, as the innermost coroutine; what lua_resetthread says. */
int rh_close_coroutine(rh_state *S, lua_State *co);

/* What stands outside of a task's coroutine while Lua code runs in it without one. */
typedef struct {
  rh_state *current;
  lua_State *running;
  int host_depth;
} rh_outside;

/* Pushes a userdata of `size` bytes as rh_push_object does, which begins with `object`. */
void *rh_push_holder(lua_State *L, const void *type, void *object, size_t size, int user_values);
/* Pushes a C function `caller` that may call the host's `function` with its own arguments by rh_call_host. */
void rh_push_callee(lua_State *L, const void *type, void *object, rh_function function, lua_CFunction caller);
int rh_call_host(lua_State *L);

/* After lua_close: lets go of what finalizers have made at the very end. */
void rh_release_late_objects(rh_state *S);

/* Makes `L` the running coroutine for code that no task runs. */
rh_outside rh_enter(rh_state *S, lua_State *L);
void rh_leave(rh_state *S, rh_outside outside);

/* The functions that call Lua code and let it wait: they stand in nobody's way. */
int rh_pcall(lua_State *L);
int rh_xpcall(lua_State *L);
int rh_resume(lua_State *L);
int rh_wrapped(lua_State *L);
int rh_require(lua_State *L);
int rh_dofile(lua_State *L);

void rh_open_protected_calls(lua_State *L);
void rh_open_coroutines(lua_State *L);
void rh_open_loaders(lua_State *L);

/* Raises unless the string (or number) at `index`, if it is one, names a file that the script may touch. */
void rh_check_path(lua_State *L, int index, const char *function);

#endif
