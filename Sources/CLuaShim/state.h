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

struct rh_state {
  lua_State *main;
  void *owner;
  rh_function deliver;
  void (*release)(void *object);

  size_t used;
  size_t limit;
  uint64_t fail_in;
  int host_depth;

  lua_State *root;     /* the running task's coroutine, NULL outside */
  lua_State *running;  /* the innermost coroutine */
  rh_resumer *resumers;
  bool host_wait;      /* the yield on its way up is a host function's */

  volatile sig_atomic_t requested; /* an rh_interrupt, set by a signal handler */
  rh_interrupt killing;            /* what the running task is being stopped for */
  char *directory; /* the only one whose files may be touched; NULL = any */
  int exit_code;
  int interrupt_errors[RH_INTERRUPT_KINDS];
  char interrupt_position[160];
  _Atomic uint64_t progress;
  uint64_t progress_counter;
};

static inline rh_state *state_of(lua_State *L) { return *(rh_state **)lua_getextraspace(L); }

static inline void note_progress(rh_state *S) {
  atomic_store_explicit(&S->progress, ++S->progress_counter, memory_order_relaxed);
}

/* Makes `L` raise the requested interrupt at its next instruction. */
void rh_arm(lua_State *L);

void rh_open_protected_calls(lua_State *L);
void rh_open_coroutines(lua_State *L);
void rh_open_loaders(lua_State *L, unsigned allowed);

/* Raises unless the string at `index`, if it is one, names a file that the script may touch. */
void rh_check_path(lua_State *L, int index, const char *function);

#endif
