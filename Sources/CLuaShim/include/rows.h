/* Rows: userdata with the bytes that PostgreSQL sent. What is called for every row and column is in C, which answers
   the usual and leaves the rest to Swift. */
#ifndef REPLHOST_LUA_ROWS_H
#define REPLHOST_LUA_ROWS_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

/* How the bytes of a column are read. */
typedef enum {
  RH_READ_BY_HOST, /* by Swift, or there are none */
  RH_READ_TEXT,
  RH_READ_INT16,
  RH_READ_INT32,
  RH_READ_INT64,
  RH_READ_OID,
  RH_READ_BOOLEAN,
  RH_READ_FLOAT8
} rh_reading;

typedef struct {
  /* Of the name's Lua string, which the rows' metatable holds: short strings are unique in a state, so that most
     look-ups compare pointers. */
  const void *name;
  rh_reading reading;
} rh_column;

/* The memory of the userdata that a shape is inside Lua; `object` is NULL once it was let go of. */
typedef struct {
  void *object;
  const rh_column *columns;
  uint32_t column_count;
} rh_row_shape;

/* The memory of a row's userdata: this, then its fields in the layout of `RowLayout`. */
typedef struct {
  uint64_t magic;
  const rh_row_shape *shape;
  uint32_t position; /* in its result, from 1; 0 elsewhere */
  uint32_t changes;  /* a bit for each of the first 31 columns that was assigned, one for all others */
} rh_row;

#define RH_ROW_MAGIC 0x7265706C5F726F77
/* Once the row's time is over. */
#define RH_EXPIRED_ROW_MAGIC 0x7265706C5F6F6C64

typedef int32_t (*rh_row_function)(lua_State *L, void *object);

/* As rh_push_object; `columns` live as long as the object. */
rh_row_shape *rh_push_row_shape(lua_State *L, const void *type, void *object, const rh_column *columns, uint32_t count);
/* Push `__index` and `__newindex` of rows; `function` is a host function that is called for what they leave to it. */
void rh_push_row_index(lua_State *L, const void *type, void *object, rh_row_function function);
void rh_push_row_assignment(lua_State *L, const void *type, void *object, rh_row_function function);

/* The row at `index`; NULL for anything else. */
rh_row *rh_row_at(lua_State *L, int index);
/* Pushes what was assigned to a column (from 0) of the changed row at `index`; false, and nothing pushed, if nothing
   was. */
bool rh_push_assigned(lua_State *L, int index, int column);
/* Keeps the value at `value` for a column of the row at `index`; both are positive. */
void rh_assign(lua_State *L, int index, int column, int value);
/* Makes reading the row at `index` an error. What was assigned goes; its table is the next row's. */
void rh_expire_row(lua_State *L, int index);

#endif
