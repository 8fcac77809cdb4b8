#ifndef REPLHOST_LUA_TABLES_H
#define REPLHOST_LUA_TABLES_H

#include <lua.h>

/// Replaces `concat`, `insert`, `move`, `remove` and `sort` of the already opened `table` library by versions that stop
/// when the running code must stop: over a table that claims 2^60 elements each would run for ever, out of a hook's
/// reach. Results and error messages are those of Lua 5.4. May raise. Returns 0, so it also serves as a
/// `lua_CFunction`.
int rh_open_tables(lua_State *L);

#endif
