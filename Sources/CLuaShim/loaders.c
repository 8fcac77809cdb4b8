/* loadfile and dofile that take text only, and a `require` whose searchers and loaders may wait. */
#include "state.h"

#include <string.h>

/* MARK: Text only */

/* Calls the library's own loadfile (upvalue 1) with "b" taken out of the mode. */
static int load_text_file(lua_State *L) {
  rh_check_path(L, 1, "loadfile");
  const char *mode = luaL_optstring(L, 2, "bt");
  if (lua_gettop(L) < 2) lua_settop(L, 2);
  lua_pushstring(L, strchr(mode, 't') != NULL ? "t" : "");
  lua_replace(L, 2);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}


static int finish_file(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L) - 1;
}

static int do_text_file(lua_State *L) {
  const char *name = luaL_optstring(L, 1, NULL);
  rh_check_path(L, 1, "dofile");
  lua_settop(L, 1);
  if (luaL_loadfilex(L, name, "t") != LUA_OK) return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, finish_file);
  return finish_file(L, LUA_OK, 0);
}

/* MARK: require. Stack: 1 name, 2 package.loaded, 3 package.searchers, 4 what the searchers said */

static int finish_module(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context; /* stack: …, loader data, what the loader returned */
  const char *name = lua_tostring(L, 1);
  if (!lua_isnil(L, -1)) lua_setfield(L, 2, name); else lua_pop(L, 1);
  if (lua_getfield(L, 2, name) == LUA_TNIL) {
    lua_pushboolean(L, 1);
    lua_copy(L, -1, -2);
    lua_setfield(L, 2, name);
  }
  lua_rotate(L, -2, 1);
  return 2;
}

static int call_loader(lua_State *L) { /* stack: …, loader, loader data */
  lua_rotate(L, -2, 1);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -3);
  lua_callk(L, 2, 1, 0, finish_module);
  return finish_module(L, LUA_OK, 0);
}

static int ask_next_searcher(lua_State *L, lua_Integer index);

static int after_searcher(lua_State *L, int status, lua_KContext index) {
  (void)status; /* stack: …, loader or message, loader data */
  if (lua_isfunction(L, -2)) return call_loader(L);
  if (lua_isstring(L, -2)) {
    lua_pushvalue(L, 4);
    lua_pushliteral(L, "\n\t");
    lua_pushvalue(L, -4);
    lua_concat(L, 3);
    lua_replace(L, 4);
  }
  lua_settop(L, 4);
  return ask_next_searcher(L, index + 1);
}

static int ask_next_searcher(lua_State *L, lua_Integer index) {
  if (lua_rawgeti(L, 3, index) == LUA_TNIL) {
    return luaL_error(L, "module '%s' not found:%s", lua_tostring(L, 1), lua_tostring(L, 4));
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 2, index, after_searcher);
  return after_searcher(L, LUA_OK, index);
}

static int require_module(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, 2, name);
  if (lua_toboolean(L, -1)) return 1;
  lua_pop(L, 1);
  if (lua_getfield(L, lua_upvalueindex(1), "searchers") != LUA_TTABLE) {
    return luaL_error(L, "'package.searchers' must be a table");
  }
  lua_pushliteral(L, "");
  return ask_next_searcher(L, 1);
}

void rh_open_loaders(lua_State *L, unsigned allowed) {
  lua_getglobal(L, "package");
  lua_pushcclosure(L, require_module, 1);
  lua_setglobal(L, "require");
  if (allowed & RH_ALLOW_BYTECODE) return;
  rh_open_chunks(L);
  lua_getglobal(L, "loadfile");
  lua_pushcclosure(L, load_text_file, 1);
  lua_setglobal(L, "loadfile");
  lua_register(L, "dofile", do_text_file);
}
