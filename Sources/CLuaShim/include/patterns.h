#ifndef REPLHOST_LUA_PATTERNS_H
#define REPLHOST_LUA_PATTERNS_H

#include <lua.h>

/// Replaces `find`, `match`, `gmatch`, `gsub` and `rep` of the already opened `string` library by versions that stop
/// when the running code must stop. Results and error messages are those of Lua 5.4. May raise. Returns 0, so it also
/// serves as a `lua_CFunction`.
int rh_open_patterns(lua_State *L);

/// Non-zero when the code that runs in `L` must stop. Asked every few microseconds by loops in C; must not raise.
extern int rh_interrupted(lua_State *L);

/// Non-zero when `load` may take compiled chunks.
extern int rh_allows_bytecode(lua_State *L);

/// Raises the error that says why the code must stop.
extern _Noreturn void rh_raise_interrupt(lua_State *L);

#endif
