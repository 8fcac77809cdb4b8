/* loadfile and dofile that take text only unless bytecode is allowed, and a `require` whose searchers and loaders may wait. */
#include "state.h"

#include <string.h>

/* MARK: Files */

int rh_allows_bytecode(lua_State *L) { return (state_of(L)->allowed & RH_ALLOW_BYTECODE) != 0; }

static const char *file_mode(lua_State *L) { return rh_allows_bytecode(L) ? "bt" : "t"; }

/* Calls the library's own loadfile (upvalue 1), unless bytecode is allowed with "b" taken out of the mode. */
static int load_file(lua_State *L) {
  rh_check_path(L, 1, "loadfile");
  const char *mode = luaL_optstring(L, 2, "bt");
  if (lua_gettop(L) < 2) lua_settop(L, 2);
  lua_pushstring(L, rh_allows_bytecode(L) ? mode : strchr(mode, 't') != NULL ? "t" : "");
  lua_replace(L, 2);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int finish_file(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L) - 1;
}

int rh_dofile(lua_State *L) {
  const char *name = luaL_optstring(L, 1, NULL);
  rh_check_path(L, 1, "dofile");
  lua_settop(L, 1);
  if (luaL_loadfilex(L, name, file_mode(L)) != LUA_OK) return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, finish_file);
  return finish_file(L, LUA_OK, 0);
}

/* The searcher of Lua files. Upvalues: the package table, its original searchpath. */
static int search_file(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, 1);
  lua_getfield(L, lua_upvalueindex(1), "path");
  if (!lua_isstring(L, -1)) return luaL_error(L, "'package.path' must be a string");
  lua_call(L, 2, 2);
  if (lua_isnil(L, -2)) return 1;
  lua_pop(L, 1);
  const char *file = lua_tostring(L, -1);
  if (luaL_loadfilex(L, file, file_mode(L)) != LUA_OK) {
    return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file, lua_tostring(L, -1));
  }
  lua_insert(L, -2);
  return 2;
}

/* MARK: One task loads a module, others wait for it */

static const char loading_key, await_key, loaded_key;

void rh_set_module_waiting(lua_State *L) {
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &await_key);
}

/* Sets the task that loads the module named at `name`; NULL = none. */
static void set_loading(lua_State *L, int name, lua_State *root) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_pushvalue(L, name);
  if (root != NULL) lua_pushlightuserdata(L, root); else lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* Whether another task than the running one loads the module named at 1. */
static bool is_loaded_elsewhere(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  void *root = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return root != NULL && root != state_of(L)->root;
}

/* `__close` of what `require` has on its stack while it loads: also called when loading fails. */
static int end_loading(lua_State *L) {
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  set_loading(L, 2, NULL);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key) == LUA_TNIL) return 0;
  lua_pushvalue(L, 2);
  lua_call(L, 1, 0);
  return 0;
}

/* Replaces nil at 2 by what tells the others when the module named at 1 is loaded, or will not be. */
static void begin_loading(lua_State *L) {
  lua_newuserdatauv(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &loading_key);
  lua_getmetatable(L, -1);
  lua_setmetatable(L, -3);
  lua_pop(L, 1);
  lua_replace(L, 2);
  set_loading(L, 1, state_of(L)->root);
  lua_toclose(L, 2);
}

/* The table of what is being loaded; its metatable is that of the guards. */
static void open_loading(lua_State *L) {
  lua_newtable(L);
  lua_newtable(L);
  lua_pushcfunction(L, end_loading);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &loading_key);
}

/* MARK: require. Stack: 1 name, 2 guard, 3 package.loaded, 4 package.searchers, 5 what the searchers said */

enum { LOADED = 3, SEARCHERS = 4, SAID = 5 };

static int finish_module(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context; /* stack: …, loader data, what the loader returned */
  const char *name = lua_tostring(L, 1);
  if (!lua_isnil(L, -1)) lua_setfield(L, LOADED, name); else lua_pop(L, 1);
  if (lua_getfield(L, LOADED, name) == LUA_TNIL) {
    lua_pushboolean(L, 1);
    lua_copy(L, -1, -2);
    lua_setfield(L, LOADED, name);
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
    lua_pushvalue(L, SAID);
    lua_pushliteral(L, "\n\t");
    lua_pushvalue(L, -4);
    lua_concat(L, 3);
    lua_replace(L, SAID);
  }
  lua_settop(L, SAID);
  return ask_next_searcher(L, index + 1);
}

static int ask_next_searcher(lua_State *L, lua_Integer index) {
  if (lua_rawgeti(L, SEARCHERS, index) == LUA_TNIL) {
    return luaL_error(L, "module '%s' not found:%s", lua_tostring(L, 1), lua_tostring(L, SAID));
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 2, index, after_searcher);
  return after_searcher(L, LUA_OK, index);
}

static int require_again(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return rh_require(L);
}

int rh_require(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 2);
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, LOADED, name);
  if (lua_toboolean(L, -1)) return 1;
  lua_pop(L, 1);
  if (is_loaded_elsewhere(L) && lua_rawgetp(L, LUA_REGISTRYINDEX, &await_key) != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 0, 0, require_again);
    return require_again(L, LUA_OK, 0);
  }
  lua_settop(L, LOADED);
  lua_pushnil(L);
  lua_replace(L, 2);
  if (state_of(L)->root != NULL) begin_loading(L);
  if (lua_getfield(L, lua_upvalueindex(1), "searchers") != LUA_TTABLE) {
    return luaL_error(L, "'package.searchers' must be a table");
  }
  lua_pushliteral(L, "");
  return ask_next_searcher(L, 1);
}

static void replace_file_searcher(lua_State *L) { /* stack: package */
  lua_getfield(L, -1, "searchers");
  lua_pushvalue(L, -2);
  lua_getfield(L, -1, "searchpath");
  lua_pushcclosure(L, search_file, 2);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 1);
}

void rh_open_loaders(lua_State *L) {
  open_loading(L);
  lua_getglobal(L, "package");
  replace_file_searcher(L);
  lua_pushcclosure(L, rh_require, 1);
  lua_setglobal(L, "require");
  rh_open_chunks(L);
  lua_getglobal(L, "loadfile");
  lua_pushcclosure(L, load_file, 1);
  lua_setglobal(L, "loadfile");
  lua_register(L, "dofile", rh_dofile);
}
