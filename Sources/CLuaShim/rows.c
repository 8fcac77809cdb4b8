#include "state.h"

#include <string.h>

/* Names of more columns are looked up by the host. */
enum { FEW_COLUMNS = 64 };

/* As `RowCell`: a length of -1 is NULL, any other below 0 is left to the host. */
typedef struct {
  uint32_t offset;
  int32_t length;
} cell;

rh_row_shape *rh_push_row_shape(lua_State *L, const void *type, void *object, const rh_column *columns,
                                uint32_t count) {
  rh_row_shape *shape = rh_push_holder(L, type, object, sizeof *shape, 0);
  shape->columns = columns;
  shape->column_count = count;
  return shape;
}

rh_row *rh_row_at(lua_State *L, int index) {
  rh_row *row = lua_touserdata(L, index);
  if (row == NULL || lua_rawlen(L, index) < sizeof *row || row->magic != RH_ROW_MAGIC) return NULL;
  return row->shape->object != NULL ? row : NULL; /* finalizers may see a row whose shape has been let go of */
}

/* MARK: Assigned values: user value 1 is a table of them, NULL as a light userdata */

static uint32_t bit_of(int column) { return 1u << (column < 31 ? column : 31); }

bool rh_push_assigned(lua_State *L, int index, int column) {
  lua_getiuservalue(L, index, 1);
  switch (lua_rawgeti(L, -1, column + 1)) {
    case LUA_TNIL: lua_pop(L, 2); return false;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(L, -1) == NULL) {
        lua_pop(L, 2);
        lua_pushnil(L);
        return true;
      } /* fall through: rh.unchanged */
    default: lua_replace(L, -2); return true;
  }
}

/* A result hands out the same changed row again: user value 2 is its table of them. */
static void begin_changes(lua_State *L, rh_row *row, int index) {
  rh_state *S = state_of(L);
  if (S->has_spare) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, S->spare);
    S->has_spare = false;
  } else {
    lua_createtable(L, 0, 2);
  }
  lua_setiuservalue(L, index, 1);
  if (row->position == 0) return;
  lua_getiuservalue(L, index, 2);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, row->position);
  lua_pop(L, 1);
}

void rh_assign(lua_State *L, int index, int column, int value) {
  rh_row *row = lua_touserdata(L, index);
  if (row->changes == 0) begin_changes(L, row, index);
  lua_getiuservalue(L, index, 1);
  if (lua_isnil(L, value)) {
    lua_pushlightuserdata(L, NULL);
  } else {
    lua_pushvalue(L, value);
  }
  lua_rawseti(L, -2, column + 1);
  lua_pop(L, 1);
  row->changes |= bit_of(column);
}

/* Keeps the table on top of the stack, which is popped. The last one may have gone with a row that stays. */
static void keep_spare(lua_State *L, rh_state *S) {
  S->has_spare = true;
  const void *table = lua_topointer(L, -1);
  if (table == S->spare_address) {
    lua_pop(L, 1);
    return;
  }
  luaL_unref(L, LUA_REGISTRYINDEX, S->spare);
  S->spare = luaL_ref(L, LUA_REGISTRYINDEX);
  S->spare_address = table;
}

void rh_expire_row(lua_State *L, int index) {
  rh_state *S = state_of(L);
  rh_row *row = lua_touserdata(L, index);
  row->magic = RH_EXPIRED_ROW_MAGIC;
  if (row->changes == 0 || row->changes & bit_of(31) || S->has_spare) return;
  lua_getiuservalue(L, index, 1);
  for (uint32_t left = row->changes; left != 0; left &= left - 1) {
    lua_pushnil(L);
    lua_rawseti(L, -2, __builtin_ctz(left) + 1);
  }
  keep_spare(L, S);
}

/* MARK: Metamethods */

/* The column whose name is the string at index 2, or -1: the host knows more. */
static int find_column(lua_State *L, const rh_row *row) {
  const rh_row_shape *shape = row->shape;
  if (shape->column_count > FEW_COLUMNS || lua_type(L, 2) != LUA_TSTRING) return -1;
  const void *name = lua_tostring(L, 2);
  for (uint32_t i = 0; i < shape->column_count; i++) {
    if (shape->columns[i].name == name) return (int)i;
  }
  return -1;
}

static uint16_t load16(const char *bytes) {
  uint16_t value;
  memcpy(&value, bytes, sizeof value);
  return __builtin_bswap16(value);
}

static uint32_t load32(const char *bytes) {
  uint32_t value;
  memcpy(&value, bytes, sizeof value);
  return __builtin_bswap32(value);
}

static uint64_t load64(const char *bytes) {
  uint64_t value;
  memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

static void push_float8(lua_State *L, const char *bytes) {
  uint64_t bits = load64(bytes);
  double value;
  memcpy(&value, &bits, sizeof value);
  lua_pushnumber(L, value);
}

/* False, and nothing pushed, for what does not have the usual length: the host says what is wrong. */
static bool push_bytes(lua_State *L, rh_reading reading, const char *bytes, int32_t length) {
  switch (reading) {
    case RH_READ_BY_HOST: return false;
    case RH_READ_TEXT: lua_pushlstring(L, bytes, (size_t)length); return true;
    case RH_READ_INT16: if (length == 2) lua_pushinteger(L, (int16_t)load16(bytes)); return length == 2;
    case RH_READ_INT32: if (length == 4) lua_pushinteger(L, (int32_t)load32(bytes)); return length == 4;
    case RH_READ_INT64: if (length == 8) lua_pushinteger(L, (int64_t)load64(bytes)); return length == 8;
    case RH_READ_OID: if (length == 4) lua_pushinteger(L, load32(bytes)); return length == 4;
    case RH_READ_BOOLEAN: if (length == 1) lua_pushboolean(L, *bytes != 0); return length == 1;
    case RH_READ_FLOAT8: if (length == 8) push_float8(L, bytes); return length == 8;
  }
  return false;
}

static bool push_field(lua_State *L, const rh_row *row, int column) {
  rh_reading reading = row->shape->columns[column].reading;
  if (reading == RH_READ_BY_HOST) return false;
  const char *fields = (const char *)(row + 1);
  cell at = ((const cell *)fields)[column];
  if (at.length >= 0) return push_bytes(L, reading, fields + at.offset, at.length);
  if (at.length != -1) return false;
  lua_pushnil(L);
  return true;
}

static int index_row(lua_State *L) {
  const rh_row *row = rh_row_at(L, 1);
  int column = row != NULL ? find_column(L, row) : -1;
  if (column >= 0) {
    if (row->changes & bit_of(column) && rh_push_assigned(L, 1, column)) return 1;
    if (push_field(L, row, column)) return 1;
  }
  return rh_call_host(L);
}

static int assign_column(lua_State *L) {
  const rh_row *row = rh_row_at(L, 1);
  int column = row != NULL && lua_gettop(L) == 3 ? find_column(L, row) : -1;
  if (column < 0) return rh_call_host(L);
  rh_assign(L, 1, column, 3);
  return 0;
}

void rh_push_row_index(lua_State *L, const void *type, void *object, rh_row_function function) {
  rh_push_callee(L, type, object, function, index_row);
}

void rh_push_row_assignment(lua_State *L, const void *type, void *object, rh_row_function function) {
  rh_push_callee(L, type, object, function, assign_column);
}
