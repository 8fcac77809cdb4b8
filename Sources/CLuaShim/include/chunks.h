#ifndef REPLHOST_LUA_CHUNKS_H
#define REPLHOST_LUA_CHUNKS_H

#include <lua.h>

/// Replaces the global `load` by a version that takes text only, unless bytecode is allowed, and stops when the running code must stop: Lua's
/// compiler needs quadratic time for a long chain of `elseif` or `or`, minutes for a few megabytes, out of a hook's
/// reach. Otherwise results and error messages are those of Lua 5.4. May raise. Returns 0, so it also serves as a
/// `lua_CFunction`.
int rh_open_chunks(lua_State *L);

#endif
