// Lua 5.4's table functions whose length a script chooses, with a step count. Element accesses honour metamethods;
// Lua code that runs inside them is stopped by hooks, the loops themselves by their steps. Bounds and messages are
// the reference manual's (section 6.6) and the library's.

#include "tables.h"

#include "steps.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdbool.h>
#include <time.h>

// What a function does with its table argument. Something else than a table will do if it has the metamethods.
enum { READS = 1, WRITES = 2, MEASURES = 4 };

// Whether the metatable at `metatable` has the field.
static bool has_field(lua_State *L, int metatable, const char *name) {
  bool found = (lua_pushstring(L, name), lua_rawget(L, metatable)) != LUA_TNIL;
  lua_pop(L, 1);
  return found;
}

static void check_table(lua_State *L, int argument, int uses) {
  if (lua_istable(L, argument)) return;
  if (lua_getmetatable(L, argument)) {
    int metatable = lua_gettop(L);
    bool serves = (!(uses & READS) || has_field(L, metatable, "__index")) &&
                  (!(uses & WRITES) || has_field(L, metatable, "__newindex")) &&
                  (!(uses & MEASURES) || has_field(L, metatable, "__len"));
    lua_settop(L, metatable - 1);
    if (serves) return;
  }
  luaL_checktype(L, argument, LUA_TTABLE);
}

// The length of the first argument, after checking that it can be used so.
static lua_Integer checked_length(lua_State *L, int uses) {
  check_table(L, 1, uses | MEASURES);
  return luaL_len(L, 1);
}

static lua_Unsigned bits(lua_Integer value) { return (lua_Unsigned)value; }

// Copies one element of the first argument within it.
static void copy_element(lua_State *L, lua_Integer from, lua_Integer to) {
  lua_geti(L, 1, from);
  lua_seti(L, 1, to);
}

static int table_insert(lua_State *L) {
  lua_Integer end = (lua_Integer)(bits(checked_length(L, READS | WRITES)) + 1);
  lua_Integer position = end;
  steps budget = {.L = L, .left = STEPS};
  switch (lua_gettop(L)) {
    case 2: break;
    case 3:
      position = luaL_checkinteger(L, 2);
      luaL_argcheck(L, bits(position) - 1 < bits(end), 2, "position out of bounds");
      for (lua_Integer i = end; i > position; i--) {
        spend(&budget, 1);
        copy_element(L, i - 1, i);
      }
      break;
    default: return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, position);
  return 0;
}

static int table_remove(lua_State *L) {
  lua_Integer length = checked_length(L, READS | WRITES);
  lua_Integer position = luaL_optinteger(L, 2, length);
  if (position != length) {
    luaL_argcheck(L, bits(position) - 1 <= bits(length), 2, "position out of bounds");
  }
  steps budget = {.L = L, .left = STEPS};
  lua_geti(L, 1, position);
  for (; position < length; position++) {
    spend(&budget, 1);
    copy_element(L, position + 1, position);
  }
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

static int table_move(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 2);
  lua_Integer last = luaL_checkinteger(L, 3);
  lua_Integer to = luaL_checkinteger(L, 4);
  int target = lua_isnoneornil(L, 5) ? 1 : 5;
  check_table(L, 1, READS);
  check_table(L, target, WRITES);
  if (last >= first) {
    luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
    lua_Integer count = last - first + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    // Backwards where the target overlaps the elements still to be read.
    bool apart = to > last || to <= first || (target != 1 && !lua_compare(L, 1, target, LUA_OPEQ));
    steps budget = {.L = L, .left = STEPS};
    for (lua_Integer done = 0; done < count; done++) {
      lua_Integer i = apart ? done : count - 1 - done;
      spend(&budget, 1);
      lua_geti(L, 1, first + i);
      lua_seti(L, target, to + i);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

static void add_element(lua_State *L, luaL_Buffer *result, lua_Integer index) {
  lua_geti(L, 1, index);
  if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), (LUAI_UACINT)index);
  }
  luaL_addvalue(result);
}

static int table_concat(lua_State *L) {
  lua_Integer length = checked_length(L, READS);
  size_t separator_length;
  const char *separator = luaL_optlstring(L, 2, "", &separator_length);
  lua_Integer index = luaL_optinteger(L, 3, 1);
  lua_Integer last = luaL_optinteger(L, 4, length);
  steps budget = {.L = L, .left = STEPS};
  luaL_Buffer result;
  luaL_buffinit(L, &result);
  for (; index < last; index++) {
    spend(&budget, 1);
    add_element(L, &result, index);
    luaL_addlstring(&result, separator, separator_length);
  }
  if (index == last) add_element(L, &result, index);
  luaL_pushresult(&result);
  return 1;
}

// Sorting: quicksort with the median of three as pivot, which is kept on the stack; the pivot is picked at random in a
// large piece once a split was very uneven. The order of equal elements is that of Lua's own function.

typedef unsigned int position;

typedef struct {
  steps budget;
  bool has_function;    // the second argument, instead of "<"
  unsigned int random;  // 0 as long as the middle is a good enough pivot
} sorting;

// Stores the two topmost values: the top at `first`, the one below it at `second`.
static void store_two(lua_State *L, position first, position second) {
  lua_seti(L, 1, first);
  lua_seti(L, 1, second);
}

// Whether the value at stack index `a` goes before the one at `b`.
static bool goes_before(sorting *sort, int a, int b) {
  lua_State *L = sort->budget.L;
  spend(&sort->budget, 1);
  if (!sort->has_function) return lua_compare(L, a, b, LUA_OPLT);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, a - 1);
  lua_pushvalue(L, b - 2);
  lua_call(L, 2, 1);
  bool answer = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return answer;
}

// Swaps the elements at `low` and `high` if they are in the wrong order.
static void order_two(sorting *sort, position low, position high) {
  lua_State *L = sort->budget.L;
  lua_geti(L, 1, low);
  lua_geti(L, 1, high);
  if (goes_before(sort, -1, -2)) store_two(L, low, high);
  else lua_pop(L, 2);
}

// Puts the median of the elements at `low`, `middle` and `high`, the outer two already in order, in the middle.
static void order_middle(sorting *sort, position low, position middle, position high) {
  lua_State *L = sort->budget.L;
  lua_geti(L, 1, middle);
  lua_geti(L, 1, low);
  if (goes_before(sort, -2, -1)) {
    store_two(L, middle, low);
    return;
  }
  lua_pop(L, 1);
  lua_geti(L, 1, high);
  if (goes_before(sort, -1, -2)) store_two(L, middle, high);
  else lua_pop(L, 2);
}

static position choose_pivot(const sorting *sort, position low, position high) {
  if (high - low < 100 || sort->random == 0) return low + (high - low) / 2;
  position quarter = (high - low) / 4;  // from the two middle quarters
  return low + quarter + sort->random % (quarter * 2);
}

// Splits the elements between `low` and `high` by the pivot, which is on the stack and at `high - 1`; returns where it
// ends up.
static position split(sorting *sort, position low, position high) {
  lua_State *L = sort->budget.L;
  position left = low, right = high - 1;
  for (;;) {
    while (lua_geti(L, 1, ++left), goes_before(sort, -1, -2)) {
      if (left == high - 1) luaL_error(L, "invalid order function for sorting");
      lua_pop(L, 1);
    }
    while (lua_geti(L, 1, --right), goes_before(sort, -3, -1)) {
      if (right < left) luaL_error(L, "invalid order function for sorting");
      lua_pop(L, 1);
    }
    if (right < left) {
      lua_pop(L, 1);
      store_two(L, high - 1, left);
      return left;
    }
    store_two(L, left, right);
  }
}

static unsigned int random_bits(void) {
  return (unsigned int)clock() * 2654435761u + (unsigned int)time(NULL);
}

static void sort_between(sorting *sort, position low, position high) {
  lua_State *L = sort->budget.L;
  while (low < high) {
    order_two(sort, low, high);
    if (high - low == 1) return;
    position pivot = choose_pivot(sort, low, high);
    order_middle(sort, low, pivot, high);
    if (high - low == 2) return;
    lua_geti(L, 1, pivot);
    lua_pushvalue(L, -1);
    lua_geti(L, 1, high - 1);
    store_two(L, pivot, high - 1);
    pivot = split(sort, low, high);

    // The smaller piece first, so that the nesting stays logarithmic.
    position sorted;
    if (pivot - low < high - pivot) {
      sort_between(sort, low, pivot - 1);
      sorted = pivot - low;
      low = pivot + 1;
    } else {
      sort_between(sort, pivot + 1, high);
      sorted = high - pivot;
      high = pivot - 1;
    }
    if ((high - low) / 128 > sorted) sort->random = random_bits() | 1;
  }
}

static int table_sort(lua_State *L) {
  lua_Integer length = checked_length(L, READS | WRITES);
  if (length > 1) {
    luaL_argcheck(L, length < INT_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    sorting sort = {.budget = {.L = L, .left = STEPS}, .has_function = !lua_isnil(L, 2), .random = 0};
    sort_between(&sort, 1, (position)length);
  }
  return 0;
}

int rh_open_tables(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"concat", table_concat}, {"insert", table_insert}, {"move", table_move},
    {"remove", table_remove}, {"sort", table_sort}, {NULL, NULL},
  };
  lua_getglobal(L, LUA_TABLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  return 0;
}
