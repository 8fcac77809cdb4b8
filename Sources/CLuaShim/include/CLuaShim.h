/* The border between Lua and Swift: whatever may raise, yield or run Lua code stays on this side. */
#ifndef REPLHOST_LUA_SHIM_H
#define REPLHOST_LUA_SHIM_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunks.h"
#include "patterns.h"
#include "rows.h"
#include "tables.h"

/* What a host function answers: a count of results on top of the stack, or one of these. */
enum {
  RH_RAISE = -1, /* the error object is on top of the stack */
  RH_WAIT = -2   /* the coroutine yields; `deliver` is asked for its results when it goes on */
};

/* Why running Lua code is made to stop. */
typedef enum {
  RH_NOT_INTERRUPTED = 0,
  RH_TIME_LIMIT,
  RH_USER_INTERRUPT,
  RH_TASK_CANCELLED,
  RH_EXIT,
  RH_INTERRUPT_KINDS
} rh_interrupt;

/* A function of the host, written in Swift. Always returns; never raises. `object` is what it was pushed with. */
typedef int32_t (*rh_function)(lua_State *L, void *object);

typedef struct rh_state rh_state;

/* MARK: States */

/* A new state with the standard libraries as replhost changes them, or NULL without memory. `limit` in bytes, 0 = none.
   `deliver` pushes the results of a wait; `release` lets go of a Swift object that Lua held. */
rh_state *rh_new_state(size_t limit, rh_function deliver, void (*release)(void *object));
/* Runs all finalizers; then nothing may use the state but rh_progress, until rh_free_state. */
void rh_close_state(rh_state *S);
void rh_free_state(rh_state *S);
rh_state *rh_state_of(lua_State *L);
lua_State *rh_main_thread(rh_state *S);
/* What `deliver` is given; the state's Swift side. */
void *rh_owner(rh_state *S);
void rh_set_owner(rh_state *S, void *owner);

size_t rh_memory_used(rh_state *S);
size_t rh_memory_limit(rh_state *S);
void rh_set_memory_limit(rh_state *S, size_t limit);
/* Counts memory that the host holds on a script's behalf; negative gives it back. */
void rh_charge(rh_state *S, ptrdiff_t bytes);
/* For tests: the n-th allocation from now that Lua code asks for fails, and every one after it; 0 = none. */
void rh_fail_allocation(rh_state *S, uint64_t n);

/* MARK: Host functions and objects (all of them for use inside host functions) */

/* Pushes a function that calls `function` with `object`, which is held as rh_push_object does. */
void rh_push_function(lua_State *L, const void *type, void *object, rh_function function);
/* Pushes a userdata that holds `object` (a retained reference, given up to Lua) with the metatable registered at `type`. */
void rh_push_object(lua_State *L, const void *type, void *object, int user_values);
/* The object of the userdata at `index` if its metatable is the one registered at `type`, else NULL. */
void *rh_object(lua_State *L, int index, const void *type);
/* Sets the fields of a metatable on top of the stack that every object has: `__gc` and `__metatable`. */
void rh_prepare_metatable(lua_State *L, const char *name);
/* A full collection: what nobody holds any more is finalized. */
void rh_collect_garbage(lua_State *L);
/* From now on what was made last is collected first, unless a script says otherwise later: rows and their strings die
   young, and their memory is used again before the processor's caches have lost it. */
void rh_collect_young(lua_State *L);
/* No collection while the host builds one large value, which it would only mark again and again; whether it ran. */
bool rh_stop_collector(lua_State *L);
void rh_start_collector(lua_State *L);
/* The next key and value of the table at `index`; the key on top must be one that this function gave, or nil. */
int rh_next(lua_State *L, int index);
int rh_upvalue_index(int n);
int rh_registry_index(void);
/* Runs the chunk or function below `arguments` values under protection; LUA_OK or an error status. Cannot wait. */
int rh_protected_call(lua_State *L, int arguments, int results);
/* Compiles text; the function or the message is on top of the stack. */
int rh_load_text(lua_State *L, const char *text, size_t length, const char *chunk_name);

/* MARK: Modules */

/* Functions that `require` calls when a module is being loaded by another task: `await` waits until `loaded` was called
   with the same name. Both are on top of the stack, `loaded` last, and are popped. */
void rh_set_module_waiting(lua_State *L);

/* MARK: Tasks */

/* Pushes a coroutine that only rh_resume_task may run. */
lua_State *rh_new_task(lua_State *L);
/* Runs `root` until it ends (LUA_OK), waits (LUA_YIELD) or fails. `pending` is raised in it at once unless zero. */
int rh_resume_task(rh_state *S, lua_State *root, int arguments, rh_interrupt pending, int *results);
/* Runs what `<close>` asks for in a coroutine that will not go on; the status and, if not LUA_OK, an error on top. */
int rh_close_task(rh_state *S, lua_State *root);
/* NULL when the running code may wait, else the name of the function that stands in the way (valid until Lua runs). */
const char *rh_waiting_obstacle(lua_State *L);
/* The reason for which the running task is being stopped. */
rh_interrupt rh_killing(rh_state *S);
/* Raises `kind` in the running task at the next chance; called by the loop's own thread. */
void rh_kill_running(rh_state *S, rh_interrupt kind);
/* Where the first raise of an interrupt happened, as "file:line"; "" if unknown. */
const char *rh_interrupt_position(rh_state *S);
/* The error object on top of the stack is what interrupts of `kind` raise from now on. */
void rh_set_interrupt_error(lua_State *L, rh_interrupt kind);
/* What os.exit was called with. */
int rh_exit_code(rh_state *S);
/* Goes up whenever Lua code starts or goes on after a wait; any thread may read it. 0 = no Lua code runs. */
uint64_t rh_progress(rh_state *S);
/* The running code begins something whose time counts anew. On its thread. */
void rh_note_progress(rh_state *S);
/* On a thread that will run Lua code: lets `rh_interrupt_thread` reach it, whatever signal mask it has inherited. */
void rh_accept_interrupts(void);
/* Asks the thread that runs Lua code of `S` to stop it, if its progress is still `progress` (0 = any); for any thread,
   `thread` being the one that runs it. */
void rh_interrupt_thread(rh_state *S, unsigned long thread, rh_interrupt kind, uint64_t progress);

/* MARK: What a script may do */

enum { RH_ALLOW_IO = 1, RH_ALLOW_OS = 2, RH_ALLOW_DEBUG = 4, RH_ALLOW_BYTECODE = 8 };

/* Opens the standard libraries. `directory` (absolute) is the only one whose files io may touch without RH_ALLOW_IO. */
void rh_open_libraries(lua_State *L, unsigned allowed, bool strict, const char *directory);

#endif
