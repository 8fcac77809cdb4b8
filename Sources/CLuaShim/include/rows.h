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
  RH_READ_OTHER, /* bytes of a type that is not known: as text, but not written */
  RH_READ_INT16,
  RH_READ_INT32,
  RH_READ_INT64,
  RH_READ_OID,
  RH_READ_BOOLEAN,
  RH_READ_FLOAT8
} rh_reading;

typedef struct {
  /* The name's Lua string (`lua_topointer`), which the rows' metatable holds: short strings are unique in a state, so
     that most look-ups compare pointers. */
  const void *name;
  rh_reading reading;
  /* The user value that keeps what was assigned, in rows that were made since some row had it assigned; 0 = none. */
  uint16_t slot;
} rh_column;

/* The memory of the userdata that a shape is inside Lua; `object` is NULL once it was let go of. */
typedef struct {
  void *object;
  rh_column *columns;
  uint32_t column_count;
  uint16_t slot_count;
} rh_row_shape;

/* The memory of a row's userdata: this, then its fields in the layout of `RowLayout`. */
typedef struct {
  uint64_t magic;
  rh_row_shape *shape;
  uint32_t position; /* in its result, from 1; 0 elsewhere */
  uint32_t changes;  /* a bit for each of the first 31 columns that was assigned, one for all others */
  uint32_t user_values;
} rh_row;

#define RH_ROW_MAGIC 0x7265706C5F726F77
/* Once the row's time is over. */
#define RH_EXPIRED_ROW_MAGIC 0x7265706C5F6F6C64

typedef int32_t (*rh_row_function)(lua_State *L, void *object);

/* As rh_push_object; `columns` live as long as the object. */
rh_row_shape *rh_push_row_shape(lua_State *L, const void *type, void *object, rh_column *columns, uint32_t count);
/* Pushes a row with `size` bytes for its fields, which are the caller's to fill, and without a metatable. The fields. */
void *rh_push_row(lua_State *L, rh_row_shape *shape, size_t size, uint32_t position);
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
/* Writes a row that came as binary and was changed as a row of binary COPY; what was not assigned is taken as it came.
   The bytes written; -1 if the host must write it, with nothing of use in `to`: the room is too small, or some value not
   of its column's own type. */
int64_t rh_write_changed_row(lua_State *L, int index, char *to, size_t room);

#endif
