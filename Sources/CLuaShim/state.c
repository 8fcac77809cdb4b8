/* States, memory, host functions and objects. */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MARK: States */

static int panic(lua_State *L) {
  const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error object is not a string";
  fprintf(stderr, "replhost: unprotected Lua error: %s\n", message);
  abort();
}

/* Warnings (errors in `__gc`, `warn`) go to standard error; "@on" and "@off" switch them. */
static void warn(void *context, const char *message, int continues) {
  static _Thread_local bool is_off, is_continued;
  (void)context;
  if (!is_continued && !continues && message[0] == '@') {
    if (strcmp(message, "@off") == 0) is_off = true;
    if (strcmp(message, "@on") == 0) is_off = false;
    return;
  }
  if (!is_off) fprintf(stderr, "%s%s%s", is_continued ? "" : "warning: ", message, continues ? "" : "\n");
  is_continued = continues;
}

rh_state *rh_new_state(size_t limit, rh_function deliver, void (*release)(void *object)) {
  rh_state *S = calloc(1, sizeof *S);
  if (S == NULL) return NULL;
  S->deliver = deliver;
  S->release = release;
  S->limit = limit;
  S->host_depth = 1; /* outside of Lua code the host is running */
  for (int kind = 0; kind < RH_INTERRUPT_KINDS; kind++) S->interrupt_errors[kind] = LUA_NOREF;
  S->main = lua_newstate(rh_allocate, S);
  if (S->main == NULL) {
    rh_free_slabs(S);
    free(S);
    return NULL;
  }
  *extra_space(S->main) = (uintptr_t)S;
  lua_pushliteral(S->main, "not enough memory");
  S->memory_error = luaL_ref(S->main, LUA_REGISTRYINDEX);
  lua_atpanic(S->main, panic);
  lua_setwarnf(S->main, warn, S);
  return S;
}

void rh_free_state(rh_state *S) {
  free(S->directory);
  rh_free_slabs(S);
  free(S);
}

rh_state *rh_state_of(lua_State *L) { return state_of(L); }
lua_State *rh_main_thread(rh_state *S) { return S->main; }
void *rh_owner(rh_state *S) { return S->owner; }
void rh_set_owner(rh_state *S, void *owner) { S->owner = owner; }

/* A userdata that holds an object of the host. */
typedef struct {
  void *object;
} holder;

static void note_late(rh_state *S, void *object) {
  void **late = realloc(S->late, (S->late_count + 1) * sizeof *late);
  if (late == NULL) return; /* it is never let go of, then */
  S->late = late;
  S->late[S->late_count++] = object;
}

static void forget_late(rh_state *S, void *object) {
  for (size_t i = 0; i < S->late_count; i++) {
    if (S->late[i] != object) continue;
    S->late[i] = S->late[--S->late_count];
    return;
  }
}

void rh_release_late_objects(rh_state *S) {
  for (size_t i = 0; i < S->late_count; i++) S->release(S->late[i]);
  free(S->late);
  S->late = NULL;
  S->late_count = 0;
}

void *rh_push_holder(lua_State *L, const void *type, void *object, size_t size, int user_values) {
  holder *h = lua_newuserdatauv(L, size, user_values);
  h->object = NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, type);
  lua_setmetatable(L, -2);
  h->object = object;
  if (state_of(L)->is_closing) note_late(state_of(L), object);
  return h;
}

/* MARK: Host functions */

/* The upvalue of a host function. */
typedef struct {
  holder held;
  rh_function function;
} callee;

static void enforce_limit(lua_State *L, rh_state *S) {
  if (!would_be_over_limit(S, 0) || S->host_depth > 0) return;
  lua_gc(L, LUA_GCCOLLECT);
  if (!would_be_over_limit(S, 0)) return;
  lua_settop(L, 0);
  lua_rawgeti(L, LUA_REGISTRYINDEX, S->memory_error);
  lua_error(L);
}

static int resumed(lua_State *L, int status, lua_KContext context);

/* `before` is what the task was being stopped for when the host function was called. */
static int leave_host(lua_State *L, rh_state *S, int32_t outcome, rh_interrupt before) {
  S->host_depth--;
  if (S->killing != before) rh_raise_interrupt(L); /* Lua code that the function called was stopped */
  if (outcome == RH_WAIT) {
    S->host_wait = true;
    return lua_yieldk(L, 0, 0, resumed);
  }
  if (outcome == RH_RAISE) return lua_error(L);
  enforce_limit(L, S);
  return outcome;
}

static int resumed(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  rh_state *S = state_of(L);
  if (rh_interrupted(L)) rh_raise_interrupt(L);
  S->host_depth++;
  return leave_host(L, S, S->deliver(L, S->owner), RH_NOT_INTERRUPTED);
}

int rh_call_host(lua_State *L) {
  rh_state *S = state_of(L);
  callee *called = lua_touserdata(L, lua_upvalueindex(1));
  rh_interrupt before = S->killing;
  S->host_depth++;
  return leave_host(L, S, called->function(L, called->held.object), before);
}

void rh_push_callee(lua_State *L, const void *type, void *object, rh_function function, lua_CFunction caller) {
  callee *called = rh_push_holder(L, type, object, sizeof *called, 0);
  called->function = function;
  lua_pushcclosure(L, caller, 1);
}

void rh_push_function(lua_State *L, const void *type, void *object, rh_function function) {
  rh_push_callee(L, type, object, function, rh_call_host);
}

/* MARK: Objects */

static int release_object(lua_State *L) {
  holder *h = lua_touserdata(L, 1);
  rh_state *S = state_of(L);
  if (h == NULL || h->object == NULL) return 0;
  void *object = h->object;
  h->object = NULL;
  if (S->is_closing) forget_late(S, object);
  S->host_depth++;
  S->release(object);
  S->host_depth--;
  return 0;
}

void rh_push_object(lua_State *L, const void *type, void *object, int user_values) {
  rh_push_holder(L, type, object, sizeof(holder), user_values);
}

void *rh_object(lua_State *L, int index, const void *type) {
  holder *h = lua_touserdata(L, index);
  if (h == NULL || !lua_getmetatable(L, index)) return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, type);
  bool matches = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return matches ? h->object : NULL;
}

void rh_prepare_metatable(lua_State *L, const char *name) {
  lua_pushliteral(L, "__gc");
  lua_pushcfunction(L, release_object);
  lua_rawset(L, -3);
  lua_pushliteral(L, "__metatable");
  lua_pushboolean(L, 0);
  lua_rawset(L, -3);
  lua_pushliteral(L, "__name");
  lua_pushstring(L, name);
  lua_rawset(L, -3);
}

bool rh_stop_collector(lua_State *L) {
  bool was_running = lua_gc(L, LUA_GCISRUNNING) != 0;
  lua_gc(L, LUA_GCSTOP);
  return was_running;
}
void rh_start_collector(lua_State *L) { lua_gc(L, LUA_GCRESTART); }
int rh_next(lua_State *L, int index) { return lua_next(L, index); }
int rh_upvalue_index(int n) { return lua_upvalueindex(n); }
int rh_registry_index(void) { return LUA_REGISTRYINDEX; }

int rh_load_text(lua_State *L, const char *text, size_t length, const char *chunk_name) {
  return luaL_loadbufferx(L, text, length, chunk_name, "t");
}
