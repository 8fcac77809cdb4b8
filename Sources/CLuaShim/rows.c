#include "state.h"

#include <string.h>

/* Names of more columns are looked up by the host. */
enum { FEW_COLUMNS = 64 };

/* As `RowCell`: a length of -1 is NULL, any other below 0 is left to the host. */
typedef struct {
  uint32_t offset;
  int32_t length;
} cell;

rh_row_shape *rh_push_row_shape(lua_State *L, const void *type, void *object, rh_column *columns, uint32_t count) {
  rh_row_shape *shape = rh_push_holder(L, type, object, sizeof *shape, 0);
  shape->columns = columns;
  shape->column_count = count;
  shape->slot_count = 0;
  return shape;
}

/* MARK: Rows */

/* User values of rows: a table of what was assigned and has no slot, in rows of results their table of changed rows,
   then the slots. */
enum { TABLE = 1, RESULT = 2, FIRST_SLOT = 3 };

/* User values of a row that is made now. */
static uint32_t user_values(const rh_row_shape *shape, uint32_t position) {
  if (shape->slot_count > 0) return RESULT + shape->slot_count;
  return position > 0 ? RESULT : TABLE;
}

void *rh_push_row(lua_State *L, rh_row_shape *shape, size_t size, uint32_t position) {
  uint32_t count = user_values(shape, position);
  rh_row *row = lua_newuserdatauv(L, sizeof *row + size, (int)count);
  row->magic = RH_ROW_MAGIC;
  row->shape = shape;
  row->position = position;
  row->changes = 0;
  row->user_values = count;
  return row + 1;
}

rh_row *rh_row_at(lua_State *L, int index) {
  rh_row *row = lua_touserdata(L, index);
  if (row == NULL || lua_rawlen(L, index) < sizeof *row || row->magic != RH_ROW_MAGIC) return NULL;
  return row->shape->object != NULL ? row : NULL; /* finalizers may see a row whose shape has been let go of */
}

/* MARK: Assigned values: NULL is a light userdata without an address */

enum { LAST_BIT = 31 };

static uint32_t bit_of(int column) { return 1u << (column < LAST_BIT ? column : LAST_BIT); }

/* The column's slot in this row, else the table. */
static int slot_of(const rh_row *row, int column) {
  uint16_t slot = row->shape->columns[column].slot;
  return slot != 0 && slot <= row->user_values ? slot : TABLE;
}

/* Pushes what is kept for a column whose bit is set; its type. */
static int push_kept(lua_State *L, const rh_row *row, int index, int column) {
  int slot = slot_of(row, column), type = lua_getiuservalue(L, index, slot);
  if (slot != TABLE || type == LUA_TNIL) return type;
  type = lua_rawgeti(L, -1, column + 1);
  lua_replace(L, -2);
  return type;
}

bool rh_push_assigned(lua_State *L, int index, int column) {
  switch (push_kept(L, lua_touserdata(L, index), index, column)) {
    case LUA_TNIL: lua_pop(L, 1); return false;
    case LUA_TLIGHTUSERDATA:
      if (lua_touserdata(L, -1) == NULL) {
        lua_pop(L, 1);
        lua_pushnil(L);
      } /* else rh.unchanged */
      return true;
    default: return true;
  }
}

/* A result hands out the same changed row again. */
static void note_changed(lua_State *L, const rh_row *row, int index) {
  lua_getiuservalue(L, index, RESULT);
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, row->position);
  lua_pop(L, 1);
}

/* Rows made from now on have a slot for the column. */
static void add_slot(rh_row_shape *shape, int column) {
  if (column >= LAST_BIT || shape->columns[column].slot != 0) return;
  shape->columns[column].slot = FIRST_SLOT + shape->slot_count++;
}

static void keep_in_table(lua_State *L, rh_row *row, int index, int column) {
  add_slot(row->shape, column);
  if (lua_getiuservalue(L, index, TABLE) == LUA_TNIL) {
    lua_createtable(L, 0, 2);
    lua_replace(L, -2);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, index, TABLE);
  }
  lua_insert(L, -2);
  lua_rawseti(L, -2, column + 1);
  lua_pop(L, 1);
}

/* Keeps the value on top of the stack, which is popped, for a column of the row at `index`. */
static void keep(lua_State *L, rh_row *row, int index, int column) {
  if (lua_isnil(L, -1)) {
    lua_pushlightuserdata(L, NULL);
    lua_replace(L, -2);
  }
  if (row->changes == 0 && row->position > 0) note_changed(L, row, index);
  int slot = slot_of(row, column);
  if (slot != TABLE) {
    lua_setiuservalue(L, index, slot);
  } else {
    keep_in_table(L, row, index, column);
  }
  row->changes |= bit_of(column);
}

void rh_assign(lua_State *L, int index, int column, int value) {
  lua_pushvalue(L, value);
  keep(L, lua_touserdata(L, index), index, column);
}

/* MARK: Metamethods */

/* The column whose name is the string at index 2, or -1: the host knows more. */
static int find_column(lua_State *L, const rh_row *row) {
  const rh_row_shape *shape = row->shape;
  if (shape->column_count > FEW_COLUMNS) return -1;
  const void *name = lua_topointer(L, 2);
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
    case RH_READ_TEXT:
    case RH_READ_OTHER: lua_pushlstring(L, bytes, (size_t)length); return true;
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
  rh_row *row = rh_row_at(L, 1);
  int column = row != NULL && lua_gettop(L) == 3 ? find_column(L, row) : -1;
  if (column < 0) return rh_call_host(L);
  keep(L, row, 1, column);
  return 0;
}

void rh_push_row_index(lua_State *L, const void *type, void *object, rh_row_function function) {
  rh_push_callee(L, type, object, function, index_row);
}

void rh_push_row_assignment(lua_State *L, const void *type, void *object, rh_row_function function) {
  rh_push_callee(L, type, object, function, assign_column);
}

/* MARK: Writing */

typedef struct {
  char *at, *end;
} output;

static bool put(output *to, const void *bytes, size_t length) {
  if ((size_t)(to->end - to->at) < length) return false;
  memcpy(to->at, bytes, length);
  to->at += length;
  return true;
}

static bool put32(output *to, uint32_t value) {
  value = __builtin_bswap32(value);
  return put(to, &value, sizeof value);
}

static bool put64(output *to, uint64_t value) {
  value = __builtin_bswap64(value);
  return put32(to, sizeof value) && put(to, &value, sizeof value);
}

static bool put_text(lua_State *L, output *to) {
  size_t length;
  const char *bytes = lua_tolstring(L, -1, &length);
  return length <= INT32_MAX && put32(to, (uint32_t)length) && put(to, bytes, length);
}

static bool put_integer(lua_State *L, output *to, rh_reading reading) {
  if (!lua_isinteger(L, -1)) return false;
  lua_Integer value = lua_tointeger(L, -1);
  if (reading == RH_READ_INT64) return put64(to, (uint64_t)value);
  return value == (int32_t)value && put32(to, 4) && put32(to, (uint32_t)value);
}

/* The value on top of the stack as a field; false if it is for the host, or without room. */
static bool put_value(lua_State *L, output *to, rh_reading reading, int type) {
  if (type == LUA_TLIGHTUSERDATA) return lua_touserdata(L, -1) == NULL && put32(to, UINT32_MAX);
  switch (reading) {
    case RH_READ_TEXT: return type == LUA_TSTRING && put_text(L, to);
    case RH_READ_INT32:
    case RH_READ_INT64: return put_integer(L, to, reading);
    case RH_READ_BOOLEAN: return type == LUA_TBOOLEAN && put32(to, 1) && put(to, lua_toboolean(L, -1) ? "\1" : "\0", 1);
    case RH_READ_INT16:
    case RH_READ_OID:
    case RH_READ_FLOAT8:
    case RH_READ_OTHER:
    case RH_READ_BY_HOST: return false;
  }
  return false;
}

/* The fields from `first` up to `end`, with their length prefixes: one piece. */
static bool put_fields(output *to, const char *fields, int first, int end) {
  if (first == end) return true;
  const cell *cells = (const cell *)fields, *last = cells + end - 1;
  const char *start = fields + cells[first].offset - 4;
  return put(to, start, (size_t)(fields + last->offset + (last->length > 0 ? last->length : 0) - start));
}

int64_t rh_write_changed_row(lua_State *L, int index, char *to, size_t room) {
  const rh_row *row = lua_touserdata(L, index);
  if (row->changes & bit_of(LAST_BIT)) return -1;
  output out = {to, to + room};
  const char *fields = (const char *)(row + 1);
  uint16_t count = __builtin_bswap16((uint16_t)row->shape->column_count);
  if (!put(&out, &count, sizeof count)) return -1;
  int next = 0;
  for (uint32_t left = row->changes; left != 0; left &= left - 1) {
    int column = __builtin_ctz(left), type = push_kept(L, row, index, column);
    bool is_written =
        put_fields(&out, fields, next, column) && put_value(L, &out, row->shape->columns[column].reading, type);
    lua_pop(L, 1);
    if (!is_written) return -1;
    next = column + 1;
  }
  return put_fields(&out, fields, next, (int)row->shape->column_count) ? out.at - to : -1;
}
