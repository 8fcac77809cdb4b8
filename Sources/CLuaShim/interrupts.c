/* Stopping Lua code: a flag set by a signal handler on the thread that runs it, and hooks that look at the flag.
   No hook is set while nothing is wrong: even an idle count hook makes loops 2.5 times slower. */
#include "state.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

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
  rh_raise_interrupt(L);
}

void rh_arm(lua_State *L) {
  lua_sethook(L, on_instruction, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

int rh_interrupted(lua_State *L) {
  rh_state *S = state_of(L);
  return S->requested != RH_NOT_INTERRUPTED || S->killing != RH_NOT_INTERRUPTED;
}

void rh_raise_interrupt(lua_State *L) {
  rh_state *S = state_of(L);
  if (S->killing == RH_NOT_INTERRUPTED) {
    S->killing = (rh_interrupt)S->requested;
    note_position(L, S);
  }
  S->requested = RH_NOT_INTERRUPTED;
  lua_sethook(L, on_instruction, LUA_MASKCOUNT, grace);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S->interrupt_errors[S->killing]);
  lua_error(L);
  __builtin_unreachable();
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

void rh_kill_running(rh_state *S, rh_interrupt kind) {
  if (S->running == NULL) return;
  S->requested = kind;
  rh_arm(S->running);
}

/* MARK: From other threads */

static const int signal_number = SIGUSR2;
static _Atomic(rh_state *) target;
static _Atomic int target_kind;
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;

/* On the thread that runs the code: nothing of Lua moves while its hook is set, as in lua.c. */
static void on_signal(int number) {
  (void)number;
  rh_state *S = current;
  if (S != NULL && S == atomic_load(&target)) rh_kill_running(S, (rh_interrupt)atomic_load(&target_kind));
  atomic_store(&target, NULL);
}

static void install_handler(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, NULL);
}

/* Threads of libdispatch block nearly all signals, and so do the threads they start. */
void rh_accept_interrupts(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal_number);
  pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

void rh_interrupt_thread(rh_state *S, unsigned long thread, rh_interrupt kind) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, install_handler);
  pthread_mutex_lock(&sending);
  atomic_store(&target_kind, kind);
  atomic_store(&target, S);
  if (pthread_kill((pthread_t)thread, signal_number) == 0) {
    for (int spins = 0; atomic_load(&target) != NULL && spins < 1000; spins++) {
      struct timespec pause = {0, 100000};
      nanosleep(&pause, NULL);
    }
  }
  pthread_mutex_unlock(&sending);
}

/* MARK: Tasks */

int rh_resume_task(rh_state *S, lua_State *root, int arguments, rh_interrupt pending, int *results) {
  rh_state *outer = current;
  S->root = S->running = root;
  S->resumers = NULL;
  S->host_wait = false;
  S->requested = RH_NOT_INTERRUPTED;
  S->killing = pending;
  S->interrupt_position[0] = 0;
  if (pending != RH_NOT_INTERRUPTED) rh_arm(root);
  note_progress(S);
  S->host_depth = 0;
  current = S;
  int status = lua_resume(root, S->main, arguments, results);
  current = outer;
  S->host_depth = 1;
  S->root = S->running = NULL;
  atomic_store_explicit(&S->progress, 0, memory_order_relaxed);
  return status;
}

int rh_close_task(rh_state *S, lua_State *root) {
  rh_state *outer = current;
  S->root = S->running = root;
  S->resumers = NULL;
  lua_sethook(root, on_instruction, S->killing ? LUA_MASKCOUNT : 0, grace);
  note_progress(S);
  S->host_depth = 0;
  current = S;
  int status = lua_resetthread(root);
  current = outer;
  S->host_depth = 1;
  S->root = S->running = NULL;
  atomic_store_explicit(&S->progress, 0, memory_order_relaxed);
  return status;
}
