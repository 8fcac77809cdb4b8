/* pcall and xpcall as in Lua's own library, but what stops a script passes through them. */
#include "state.h"

/* What the continuation has to know: how many values are below the results, and whether the call began while the code
   was being stopped, that is, in a `<close>` variable's handler, which may catch its own errors. */
enum { BELOW = 3, IN_HANDLER = 4 };

static lua_KContext note(lua_State *L, int below) {
  return below | (state_of(L)->killing != RH_NOT_INTERRUPTED ? IN_HANDLER : 0);
}

static int finish(lua_State *L, int status, lua_KContext noted) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)(noted & BELOW);
  if (!(noted & IN_HANDLER) || !rh_may_catch(L)) rh_pass_interrupt(L);
  lua_pushboolean(L, 0);
  lua_pushvalue(L, -2);
  return 2;
}

int rh_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  lua_KContext noted = note(L, 0);
  return finish(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, noted, finish), noted);
}

int rh_xpcall(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushboolean(L, 1);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);
  lua_KContext noted = note(L, 2);
  return finish(L, lua_pcallk(L, count - 2, LUA_MULTRET, 2, noted, finish), noted);
}

void rh_open_protected_calls(lua_State *L) {
  lua_register(L, "pcall", rh_pcall);
  lua_register(L, "xpcall", rh_xpcall);
}
