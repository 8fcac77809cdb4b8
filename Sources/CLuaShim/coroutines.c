/* The coroutine library. Its one difference to Lua's own: a host function that waits inside a coroutine passes
   through whoever resumed it, down to the task's scheduler, and comes back the same way. A task's own coroutine
   looks like the main one. */
#define _GNU_SOURCE /* pthread_getattr_np */
#include "state.h"

#include <pthread.h>
#include <string.h>

static bool is_root(lua_State *L) { return L == state_of(L)->root; }

static lua_State *check_coroutine(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

/* MARK: Status */

typedef enum { RUNNING, DEAD, SUSPENDED, NORMAL } status;

static status status_of(lua_State *L, lua_State *co) {
  if (L == co) return RUNNING;
  switch (lua_status(co)) {
    case LUA_YIELD:
      return is_hosted(co) ? NORMAL : SUSPENDED;
    case LUA_OK: {
      lua_Debug info;
      if (lua_getstack(co, 0, &info)) return NORMAL;
      return lua_gettop(co) == 0 || is_hosted(co) ? DEAD : SUSPENDED;
    }
    default:
      return DEAD;
  }
}

static const char *const status_names[] = {"running", "dead", "suspended", "normal"};

static int co_status(lua_State *L) {
  lua_pushstring(L, status_names[status_of(L, check_coroutine(L))]);
  return 1;
}

static int co_running(lua_State *L) {
  bool is_main = lua_pushthread(L);
  lua_pushboolean(L, is_main || is_root(L));
  return 2;
}

static int co_isyieldable(lua_State *L) {
  lua_State *co = lua_isnone(L, 1) ? L : check_coroutine(L);
  lua_pushboolean(L, !is_root(co) && !is_hosted(co) && lua_isyieldable(co));
  return 1;
}

/* MARK: The C stack */

/* How many coroutines may close one another in turn: Lua 5.4.4 does not count these calls. */
enum { MAXIMUM_CLOSING = 150 };

/* Whether little of the thread's C stack is left: Lua counts its calls for each coroutine on its own. */
static bool is_stack_low(void) {
  static _Thread_local uintptr_t low;
  if (low == 0) {
    pthread_attr_t attributes;
    void *start = NULL;
    size_t size = 0;
    low = 1;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
      if (pthread_attr_getstack(&attributes, &start, &size) == 0) low = (uintptr_t)start + size / 4;
      pthread_attr_destroy(&attributes);
    }
  }
  return (uintptr_t)__builtin_frame_address(0) < low;
}

/* Whether one more coroutine can be closed from here. */
static bool can_close(lua_State *L) { return state_of(L)->closing < MAXIMUM_CLOSING && !is_stack_low(); }

int rh_close_coroutine(rh_state *S, lua_State *co) {
  lua_State *outer = S->running;
  S->running = co;
  S->closing++;
  if (rh_interrupted(co)) rh_arm(co);
  int status = lua_resetthread(co);
  S->closing--;
  S->running = outer;
  if (outer != NULL && rh_interrupted(outer)) rh_arm(outer);
  return status;
}

/* MARK: Resuming */

enum { FAILED = -1, WAITS = -2 };

/* Runs `co`, whose arguments are on its stack. Results or error message go to L's. */
static int run(lua_State *L, lua_State *co, int arguments) {
  rh_state *S = state_of(L);
  rh_resumer resumer = {L, S->resumers};
  S->resumers = &resumer;
  S->running = co;
  if (rh_interrupted(L)) rh_arm(co);
  int results;
  int status = lua_resume(co, L, arguments, &results);
  S->running = L;
  S->resumers = resumer.below;
  if (rh_interrupted(L)) rh_arm(L);
  if (status == LUA_YIELD && S->host_wait) {
    set_hosted(co, true);
    return WAITS;
  }
  if (status == LUA_OK || status == LUA_YIELD) {
    if (!lua_checkstack(L, results + 1)) {
      lua_pop(co, results);
      lua_pushliteral(L, "too many results to resume");
      return FAILED;
    }
    lua_xmove(co, L, results);
    return results;
  }
  lua_xmove(co, L, 1);
  return FAILED;
}

/* Moves `arguments` values from L to `co` and runs it. */
static int start(lua_State *L, lua_State *co, int arguments) {
  if (is_hosted(co)) {
    bool is_dead = status_of(L, co) == DEAD;
    lua_pushstring(L, is_dead ? "cannot resume dead coroutine" : "cannot resume non-suspended coroutine");
    return FAILED;
  }
  if (is_stack_low()) {
    lua_pushliteral(L, "C stack overflow");
    return FAILED;
  }
  if (!lua_checkstack(co, arguments)) {
    lua_pushliteral(L, "too many arguments to resume");
    return FAILED;
  }
  lua_xmove(L, co, arguments);
  return run(L, co, arguments);
}

static int resume_again(lua_State *L, int status, lua_KContext context);

static int finish_resume(lua_State *L, lua_State *co, int results) {
  if (results == WAITS) return lua_yieldk(L, 0, (lua_KContext)co, resume_again);
  if (results == FAILED) {
    rh_pass_interrupt(L);
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
  }
  lua_pushboolean(L, 1);
  lua_insert(L, -(results + 1));
  return results + 1;
}

static int resume_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  lua_State *co = (lua_State *)context; /* kept alive by argument 1 of the call that goes on here */
  set_hosted(co, false);
  return finish_resume(L, co, run(L, co, 0));
}

int rh_resume(lua_State *L) {
  lua_State *co = check_coroutine(L);
  return finish_resume(L, co, start(L, co, lua_gettop(L) - 1));
}

/* MARK: wrap */

static int wrapped_again(lua_State *L, int status, lua_KContext context);

static int finish_wrapped(lua_State *L, lua_State *co, int results) {
  if (results == WAITS) return lua_yieldk(L, 0, (lua_KContext)co, wrapped_again);
  if (results >= 0) return results;
  int state = lua_status(co);
  if (state != LUA_OK && state != LUA_YIELD && !is_hosted(co)) {
    if (!can_close(L)) return luaL_error(L, "C stack overflow");
    state = rh_close_coroutine(state_of(L), co);
    lua_xmove(co, L, 1);
  }
  rh_pass_interrupt(L);
  if (state != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int wrapped_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  lua_State *co = (lua_State *)context; /* kept alive by the upvalue of the function that goes on here */
  set_hosted(co, false);
  return finish_wrapped(L, co, run(L, co, 0));
}

int rh_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  return finish_wrapped(L, co, start(L, co, lua_gettop(L)));
}

static int co_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int co_wrap(lua_State *L) {
  co_create(L);
  lua_pushcclosure(L, rh_wrapped, 1);
  return 1;
}

/* MARK: Yielding and closing */

static int co_yield(lua_State *L) {
  if (is_root(L)) return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yield(L, lua_gettop(L));
}

static int co_close(lua_State *L) {
  lua_State *co = check_coroutine(L);
  status current = status_of(L, co);
  if (current != DEAD && current != SUSPENDED) {
    return luaL_error(L, "cannot close a %s coroutine", status_names[current]);
  }
  if (!can_close(L)) return luaL_error(L, "C stack overflow");
  if (is_hosted(co) || rh_close_coroutine(state_of(L), co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_xmove(co, L, 1);
  rh_pass_interrupt(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

void rh_open_coroutines(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"create", co_create},   {"resume", rh_resume},           {"running", co_running}, {"status", co_status},
      {"wrap", co_wrap},       {"isyieldable", co_isyieldable}, {"yield", co_yield},     {"close", co_close},
      {NULL, NULL}};
  luaL_newlib(L, functions);
  lua_pushvalue(L, -1);
  lua_setglobal(L, "coroutine");
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_insert(L, -2);
  lua_setfield(L, -2, "coroutine");
  lua_pop(L, 1);
}

/* MARK: For the scheduler */

lua_State *rh_new_task(lua_State *L) {
  lua_State *root = lua_newthread(L);
  set_hosted(root, true);
  return root;
}

static bool lets_wait(lua_CFunction function) {
  static const lua_CFunction functions[] = {rh_pcall, rh_xpcall, rh_resume, rh_wrapped, rh_require, rh_dofile};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    if (function == functions[i]) return true;
  }
  return false;
}

/* The name of the C function of `L`, above `level`, that calls Lua code without being able to wait for it. */
static const char *obstacle_in(lua_State *L, int level) {
  lua_Debug info;
  for (; lua_getstack(L, level, &info); level++) {
    lua_getinfo(L, "Snf", &info);
    lua_CFunction function = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    if (info.name != NULL && strcmp(info.namewhat, "metamethod") == 0 && strcmp(info.name, "__gc") == 0) return "__gc";
    if (function == NULL || lets_wait(function)) continue;
    return info.name != NULL ? info.name : "a C function";
  }
  return state_of(L)->closing > 0 ? "coroutine.close" : "the host";
}

const char *rh_waiting_obstacle(lua_State *L) {
  rh_state *S = state_of(L);
  if (!lua_isyieldable(L)) return obstacle_in(L, 1);
  for (rh_resumer *r = S->resumers; r != NULL; r = r->below) {
    if (!lua_isyieldable(r->thread)) return obstacle_in(r->thread, 0);
  }
  return NULL;
}
