// Lua 5.4's `load` (reference manual, section 6.1) for text (and, where allowed, compiled chunks), handed to the compiler in small pieces, with a step count.

#include "chunks.h"

#include "steps.h"

#include <lauxlib.h>
#include <string.h>

enum {
  // Bytes given to the compiler at once. After a megabyte of `elseif` these take it some 10 ms.
  PIECE = 256,
  // Steps that a piece stands for: a look at the interrupt flag for each.
  PIECE_STEPS = STEPS + 1,
};

// Stack slots of load: its arguments, then the string that keeps the text being read alive.
enum { CHUNK = 1, NAME = 2, MODE = 3, ENVIRONMENT = 4, TEXT = 5 };

// Text not yet given to the compiler.
typedef struct {
  steps budget;
  const char *text;
  size_t length;
} source;

static const char *next_piece(source *from, size_t *size) {
  const char *piece = from->text;
  *size = from->length < PIECE ? from->length : PIECE;
  from->text += *size;
  from->length -= *size;
  spend(&from->budget, PIECE_STEPS);
  return piece;
}

static const char *read_string(lua_State *L, void *context, size_t *size) {
  (void)L;
  return next_piece(context, size);
}

// Asks the function for more when its last string is used up; nil or "" ends the chunk.
static const char *read_function(lua_State *L, void *context, size_t *size) {
  source *from = context;
  if (from->length == 0) {
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, CHUNK);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      *size = 0;
      return NULL;
    }
    if (!lua_isstring(L, -1)) luaL_error(L, "reader function must return a string");
    lua_replace(L, TEXT);
    from->text = lua_tolstring(L, TEXT, &from->length);
  }
  return next_piece(from, size);
}

static int load_failed(lua_State *L) {
  if (rh_interrupted(L)) rh_raise_interrupt(L);
  luaL_pushfail(L);
  lua_insert(L, -2);
  return 2;
}

static int base_load(lua_State *L) {
  source from = {.budget = {.L = L, .left = STEPS}};
  const char *text = lua_tolstring(L, CHUNK, &from.length);
  const char *mode = luaL_optstring(L, MODE, "bt");
  if (!rh_allows_bytecode(L)) mode = strchr(mode, 't') ? "t" : "";
  const char *name = luaL_optstring(L, NAME, text != NULL ? text : "=(load)");
  int has_environment = !lua_isnone(L, ENVIRONMENT);
  if (text == NULL) luaL_checktype(L, CHUNK, LUA_TFUNCTION);
  lua_settop(L, TEXT);
  from.text = text;

  if (lua_load(L, text != NULL ? read_string : read_function, &from, name, mode) != LUA_OK) return load_failed(L);
  if (has_environment) {
    lua_pushvalue(L, ENVIRONMENT);
    if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
  }
  return 1;
}

int rh_open_chunks(lua_State *L) {
  lua_pushcfunction(L, base_load);
  lua_setglobal(L, "load");
  return 0;
}
