/* Stopping Lua code: a flag set by a signal handler on the thread that runs it, and hooks that look at the flag.
   No hook is set while nothing is wrong: even an idle count hook makes loops 2.5 times slower. */
#include "state.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* glibc's own: the thread sanitizer's `sigaction` holds signals back until the thread calls into libc, which a Lua loop
   never does. (This library is compiled without it, for Lua's errors jump over the functions here.) */
extern int __sigaction(int number, const struct sigaction *action, struct sigaction *old) __attribute__((weak));

/* How many instructions code that is being stopped gets for its `<close>` variables before it is stopped again. */
static const int grace = 10000;

/* The state whose Lua code this thread runs. */
static _Thread_local rh_state *volatile current;

static void note_position(lua_State *L, rh_state *S) {
  lua_Debug info;
  S->interrupt_position[0] = 0;
  for (int level = 0; lua_getstack(L, level, &info); level++) {
    lua_getinfo(L, "Sl", &info);
    if (info.currentline <= 0) continue;
    snprintf(S->interrupt_position, sizeof S->interrupt_position, "%s:%d", info.short_src, info.currentline);
    return;
  }
}

static void on_instruction(lua_State *L, lua_Debug *info) {
  (void)info;
  if (rh_interrupted(L)) rh_raise_interrupt(L);
  lua_sethook(L, NULL, 0, 0); /* left from code that was stopped while this coroutine was suspended */
}

static void arm_at_once(lua_State *L) {
  lua_sethook(L, on_instruction, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void rh_arm(lua_State *L) {
  if (state_of(L)->requested != RH_NOT_INTERRUPTED) {
    arm_at_once(L);
  } else if (lua_gethook(L) != on_instruction) {
    lua_sethook(L, on_instruction, LUA_MASKCOUNT, grace);
  }
}

int rh_interrupted(lua_State *L) {
  rh_state *S = state_of(L);
  return S->requested != RH_NOT_INTERRUPTED || S->killing != RH_NOT_INTERRUPTED;
}

/* What is raised is Lua's memory error: no message handler sees it, so none can hold it up (an error raised in a hook
   calls handlers with hooks off). `replace_error` puts the real one in its place. */
static _Noreturn void raise_silently(lua_State *L, rh_state *S) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, S->memory_error);
  lua_error(L);
  __builtin_unreachable();
}

void rh_raise_interrupt(lua_State *L) {
  rh_state *S = state_of(L);
  if (S->killing == RH_NOT_INTERRUPTED) {
    S->killing = (rh_interrupt)S->requested;
    S->raised = 0;
    note_position(L, S);
  }
  S->requested = RH_NOT_INTERRUPTED;
  S->raised++;
  lua_sethook(L, on_instruction, LUA_MASKCOUNT, grace);
  raise_silently(L, S);
}

bool rh_may_catch(lua_State *L) {
  rh_state *S = state_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S->memory_error);
  bool stops = lua_rawequal(L, -1, -2);
  lua_pop(L, 1);
  return !stops && S->raised < 100;
}

void rh_pass_interrupt(lua_State *L) {
  rh_state *S = state_of(L);
  if (S->killing != RH_NOT_INTERRUPTED) raise_silently(L, S);
}

/* The error on top of the stack of what was stopped becomes the one that says why. */
static void replace_error(lua_State *L, rh_state *S) {
  if (S->killing == RH_NOT_INTERRUPTED) return;
  lua_pop(L, 1);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S->interrupt_errors[S->killing]);
}

void rh_set_interrupt_error(lua_State *L, rh_interrupt kind) {
  rh_state *S = state_of(L);
  luaL_unref(L, LUA_REGISTRYINDEX, S->interrupt_errors[kind]);
  S->interrupt_errors[kind] = luaL_ref(L, LUA_REGISTRYINDEX);
}

rh_interrupt rh_killing(rh_state *S) { return S->killing; }
int rh_exit_code(rh_state *S) { return S->exit_code; }
const char *rh_interrupt_position(rh_state *S) { return S->interrupt_position; }
uint64_t rh_progress(rh_state *S) { return atomic_load_explicit(&S->progress, memory_order_relaxed); }

void rh_note_progress(rh_state *S) {
  if (atomic_load_explicit(&S->progress, memory_order_relaxed) != 0) note_progress(S);
}

void rh_kill_running(rh_state *S, rh_interrupt kind) {
  lua_State *running = S->running;
  if (running == NULL) return;
  S->requested = kind;
  arm_at_once(running);
}

/* MARK: From other threads */

static const int signal_number = SIGUSR2;

/* On the thread that runs the code: nothing of Lua moves while its hook is set, as in lua.c. A request that comes late
   finds other code, or none, and is forgotten. */
static void on_signal(int number) {
  (void)number;
  rh_state *S = current;
  if (S == NULL) return;
  int kind = atomic_exchange(&S->asked_for, RH_NOT_INTERRUPTED);
  uint64_t at = atomic_load(&S->asked_at);
  if (kind != RH_NOT_INTERRUPTED && (at == 0 || at == S->progress_counter)) rh_kill_running(S, (rh_interrupt)kind);
}

/* Without SA_RESTART: a script that reads from a terminal is to stop, too. */
static void install_handler(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&action.sa_mask);
  (__sigaction != NULL ? __sigaction : sigaction)(signal_number, &action, NULL);
}

/* Threads of libdispatch block nearly all signals, and so do the threads they start. */
void rh_accept_interrupts(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_handler);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal_number);
  pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

void rh_interrupt_thread(rh_state *S, unsigned long thread, rh_interrupt kind, uint64_t progress) {
  atomic_store(&S->asked_at, progress);
  atomic_store(&S->asked_for, kind);
  pthread_kill((pthread_t)thread, signal_number);
}

/* MARK: Entering Lua */

rh_outside rh_enter(rh_state *S, lua_State *L) {
  rh_outside outside = {current, S->running, S->host_depth};
  if (outside.running == NULL) {
    S->requested = RH_NOT_INTERRUPTED;
    atomic_store(&S->asked_for, RH_NOT_INTERRUPTED);
    note_progress(S);
  }
  S->host_depth = 0;
  S->running = L;
  current = S;
  return outside;
}

void rh_leave(rh_state *S, rh_outside outside) {
  current = outside.current;
  S->running = outside.running;
  S->host_depth = outside.host_depth;
  if (outside.running == NULL) atomic_store_explicit(&S->progress, 0, memory_order_relaxed);
}

int rh_protected_call(lua_State *L, int arguments, int results) {
  rh_state *S = state_of(L);
  rh_interrupt before = S->killing;
  bool is_outside = S->running == NULL;
  if (is_outside) S->killing = RH_NOT_INTERRUPTED;
  rh_outside outside = rh_enter(S, L);
  int status = lua_pcall(L, arguments, results, 0);
  rh_leave(S, outside);
  if (!is_outside) return status;
  if (status != LUA_OK) replace_error(L, S);
  S->killing = before;
  return status;
}

void rh_collect_garbage(lua_State *L) {
  rh_state *S = state_of(L);
  rh_outside outside = rh_enter(S, S->running != NULL ? S->running : L);
  S->host_depth = outside.host_depth;
  lua_gc(L, LUA_GCCOLLECT);
  rh_leave(S, outside);
}

void rh_collect_young(lua_State *L) {
  rh_state *S = state_of(L);
  if (S->collects_young) return;
  S->collects_young = true;
  rh_outside outside = rh_enter(S, S->running != NULL ? S->running : L);
  S->host_depth = outside.host_depth;
  lua_gc(L, LUA_GCGEN, 0, 0);
  rh_leave(S, outside);
}

void rh_close_state(rh_state *S) {
  rh_outside outside = rh_enter(S, S->main);
  S->running = NULL; /* finalizers run without hooks: there is nothing to arm */
  S->host_depth = 1;
  S->is_closing = true;
  lua_close(S->main);
  rh_release_late_objects(S);
  current = outside.current;
  atomic_store_explicit(&S->progress, 0, memory_order_relaxed);
}

/* MARK: Tasks */

int rh_resume_task(rh_state *S, lua_State *root, int arguments, rh_interrupt pending, int *results) {
  S->root = root;
  S->resumers = NULL;
  S->closing = 0;
  S->host_wait = false;
  S->killing = RH_NOT_INTERRUPTED;
  S->interrupt_position[0] = 0;
  rh_outside outside = rh_enter(S, root);
  if (pending != RH_NOT_INTERRUPTED) rh_kill_running(S, pending);
  int status = lua_resume(root, S->main, arguments, results);
  rh_leave(S, outside);
  S->root = NULL;
  if (status != LUA_OK && status != LUA_YIELD) replace_error(root, S);
  return status;
}

int rh_close_task(rh_state *S, lua_State *root) {
  S->root = root;
  S->resumers = NULL;
  rh_outside outside = rh_enter(S, root);
  lua_sethook(root, on_instruction, S->killing != RH_NOT_INTERRUPTED ? LUA_MASKCOUNT : 0, grace);
  int status = rh_close_coroutine(S, root);
  rh_leave(S, outside);
  S->root = NULL;
  if (status != LUA_OK) replace_error(root, S);
  return status;
}
