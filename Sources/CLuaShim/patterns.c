// Lua 5.4's pattern functions over a matcher that can be interrupted. Results and messages are the reference manual's
// (section 6.4) and the library's.

#include "matcher.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <string.h>

// Results

// Capture `index` of the match from `s` to `end`; the whole match if the pattern has none.
static capture found_capture(matcher *m, int index, const char *s, const char *end) {
  if (index >= m->level) {
    if (index != 0) luaL_error(m->budget.L, "invalid capture index %%%d", index + 1);
    return (capture){.start = s, .length = end - s};
  }
  capture found = m->captures[index];
  if (found.length == CAPTURE_OPEN) luaL_error(m->budget.L, "unfinished capture");
  return found;
}

static lua_Integer position(const matcher *m, const char *s) { return (lua_Integer)(s - m->subject) + 1; }

static void push_capture(matcher *m, int index, const char *s, const char *end) {
  capture found = found_capture(m, index, s, end);
  if (found.length == CAPTURE_POSITION) {
    lua_pushinteger(m->budget.L, position(m, found.start));
  } else {
    lua_pushlstring(m->budget.L, found.start, (size_t)found.length);
  }
}

// Pushes all captures. A pattern without any gives the whole match, or nothing if `s` is NULL.
static int push_captures(matcher *m, const char *s, const char *end) {
  int count = m->level == 0 && s != NULL ? 1 : m->level;
  luaL_checkstack(m->budget.L, count, "too many captures");
  for (int index = 0; index < count; index++) push_capture(m, index, s, end);
  return count;
}

// find, match

// The offset, from 0, of the optional start position `argument`; more than `length` if it lies behind the end.
static size_t start_offset(lua_State *L, int argument, size_t length) {
  lua_Integer start = luaL_optinteger(L, argument, 1);
  if (start > 0) return (size_t)start - 1;
  if (start == 0 || start < -(lua_Integer)length) return 0;
  return length - (size_t)-start;
}

static bool is_plain(const char *pattern, size_t length) {
  for (const char *p = pattern; p < pattern + length; p++) {
    switch (*p) {
      case '^': case '$': case '*': case '+': case '?': case '.': case '(': case '[': case ESCAPE: case '-':
        return false;
      default: break;
    }
  }
  return true;
}

// The first place where `wanted` stands in the text, or NULL.
static const char *find_plain(steps *budget, const char *s, size_t length, const char *wanted, size_t wanted_length) {
  if (wanted_length == 0) return s;
  if (wanted_length > length) return NULL;
  const char *behind = s + (length - wanted_length) + 1;
  ptrdiff_t comparison = (ptrdiff_t)(wanted_length / 64) + 1;
  while (s < behind) {
    const char *candidate = memchr(s, wanted[0], (size_t)(behind - s));
    if (candidate == NULL) return NULL;
    if (memcmp(candidate + 1, wanted + 1, wanted_length - 1) == 0) return candidate;
    spend(budget, comparison + (candidate - s) / 64);
    s = candidate + 1;
  }
  return NULL;
}

static int push_plain_result(lua_State *L, const char *s, size_t length, size_t offset, const char *p, size_t wanted) {
  steps budget = {.L = L, .left = STEPS};
  const char *found = find_plain(&budget, s + offset, length - offset, p, wanted);
  if (found == NULL) {
    luaL_pushfail(L);
    return 1;
  }
  lua_pushinteger(L, (lua_Integer)(found - s) + 1);
  lua_pushinteger(L, (lua_Integer)((size_t)(found - s) + wanted));
  return 2;
}

// The first match at `*s` or later; `*s` becomes its start. NULL if there is none.
static const char *match_from(matcher *m, const char **s) {
  bool anchored = rh_take_anchor(m);
  for (;; ++*s) {
    const char *end = rh_match_at(m, *s);
    if (end != NULL || anchored || *s >= m->subject_end) return end;
  }
}

static int find_or_match(lua_State *L, bool find) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t offset = start_offset(L, 3, length);
  if (offset > length) {
    luaL_pushfail(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_length))) {
    return push_plain_result(L, subject, length, offset, pattern, pattern_length);
  }

  matcher m;
  rh_prepare_matcher(&m, L, subject, length, pattern, pattern_length);
  const char *start = subject + offset;
  const char *end = match_from(&m, &start);
  if (end == NULL) {
    luaL_pushfail(L);
    return 1;
  }
  if (!find) return push_captures(&m, start, end);
  lua_pushinteger(L, position(&m, start));
  lua_pushinteger(L, (lua_Integer)(end - subject));
  return push_captures(&m, NULL, NULL) + 2;
}

static int string_find(lua_State *L) { return find_or_match(L, true); }

static int string_match(lua_State *L) { return find_or_match(L, false); }

// gmatch

// A userdata, third upvalue of the iterator; the first two keep the strings alive.
typedef struct {
  matcher matcher;
  const char *next;       // where to try next; NULL: at the end
  const char *last_end;   // the end of the last match: an empty one there would repeat it
} iteration;

static int next_match(lua_State *L) {
  iteration *state = lua_touserdata(L, lua_upvalueindex(3));
  matcher *m = &state->matcher;
  m->budget = (steps){.L = L, .left = STEPS};  // a coroutine other than the creator's may ask
  for (const char *s = state->next; s != NULL; s = s < m->subject_end ? s + 1 : NULL) {
    const char *end = rh_match_at(m, s);
    if (end != NULL && end != state->last_end) {
      state->next = state->last_end = end;
      return push_captures(m, s, end);
    }
  }
  return 0;
}

static int string_gmatch(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  size_t offset = start_offset(L, 3, length);
  lua_settop(L, 2);
  iteration *state = lua_newuserdatauv(L, sizeof(iteration), 0);
  rh_prepare_matcher(&state->matcher, L, subject, length, pattern, pattern_length);
  state->next = offset > length ? NULL : subject + offset;
  state->last_end = NULL;
  lua_pushcclosure(L, next_match, 3);
  return 1;
}

// gsub

// Stack slots of gsub: its arguments, then the replacement of one match, then the buffer's own.
enum { REPLACEMENT = 3, LIMIT = 4, VALUE = 5 };

typedef struct {
  matcher matcher;
  luaL_Buffer result;
  int kind;              // Lua type of the replacement
  const char *uncopied;  // the text from here on is not in `result` yet
  bool changed;
} substitution;

// `luaL_addlstring` without the call where the text fits.
static inline void append(substitution *work, const char *text, size_t length) {
  luaL_Buffer *result = &work->result;
  if (length > result->size - result->n) {
    luaL_addlstring(result, text, length);
  } else if (length > 0) {
    memcpy(result->b + result->n, text, length);
    luaL_addsize(result, length);
  }
}

// Appends the text since the last replacement, up to `s`.
static void copy_until(substitution *work, const char *s) {
  append(work, work->uncopied, (size_t)(s - work->uncopied));
  work->uncopied = s;
}

// Appends what "%" and `c` stand for in a replacement string, for the match from `s` to `end`.
static void add_escape(substitution *work, char c, const char *s, const char *end) {
  lua_State *L = work->matcher.budget.L;
  if (c == ESCAPE) {
    luaL_addchar(&work->result, ESCAPE);
  } else if (c == '0') {
    append(work, s, (size_t)(end - s));
  } else if (c >= '0' && c <= '9') {
    capture found = found_capture(&work->matcher, c - '1', s, end);
    if (found.length == CAPTURE_POSITION) {
      lua_pushinteger(L, position(&work->matcher, found.start));
      luaL_addvalue(&work->result);
    } else {
      append(work, found.start, (size_t)found.length);
    }
  } else {
    luaL_error(L, "invalid use of '%c' in replacement string", ESCAPE);
  }
}

static void add_template(substitution *work, const char *s, const char *end) {
  size_t length;
  const char *text = lua_tolstring(work->matcher.budget.L, REPLACEMENT, &length);
  const char *text_end = text + length;
  const char *escape;
  copy_until(work, s);
  while ((escape = memchr(text, ESCAPE, (size_t)(text_end - text))) != NULL) {
    spend(&work->matcher.budget, 1);
    append(work, text, (size_t)(escape - text));
    add_escape(work, escape[1], s, end);
    text = escape + 2;
  }
  append(work, text, (size_t)(text_end - text));
  work->uncopied = end;
  work->changed = true;
}

// Asks the table or function for the replacement; false or nil keeps the text as it is.
static void add_answer(substitution *work, const char *s, const char *end) {
  lua_State *L = work->matcher.budget.L;
  if (work->kind == LUA_TFUNCTION) {
    lua_pushvalue(L, REPLACEMENT);
    lua_call(L, push_captures(&work->matcher, s, end), 1);
  } else {
    push_capture(&work->matcher, 0, s, end);
    lua_gettable(L, REPLACEMENT);
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  lua_replace(L, VALUE);  // nothing may lie above the buffer while text is added

  size_t length;
  const char *text = lua_tolstring(L, VALUE, &length);
  copy_until(work, s);
  append(work, text, length);
  work->uncopied = end;
  work->changed = true;
}

// Replaces up to `limit` matches; returns how many there were.
static lua_Integer substitute(substitution *work, lua_Integer limit) {
  matcher *m = &work->matcher;
  bool anchored = rh_take_anchor(m);
  const char *s = m->subject;
  const char *last_end = NULL;  // an empty match there would repeat the last one
  lua_Integer count = 0;
  while (count < limit) {
    const char *end = rh_match_at(m, s);
    if (end != NULL && end != last_end) {
      count++;
      spend(&m->budget, 1);  // an empty pattern spends nothing by itself
      if (work->kind == LUA_TFUNCTION || work->kind == LUA_TTABLE) add_answer(work, s, end);
      else add_template(work, s, end);
      s = last_end = end;
    } else if (s < m->subject_end) {
      s++;
    } else {
      break;
    }
    if (anchored) break;
  }
  return count;
}

static int string_gsub(lua_State *L) {
  size_t length, pattern_length;
  const char *subject = luaL_checklstring(L, 1, &length);
  const char *pattern = luaL_checklstring(L, 2, &pattern_length);
  int kind = lua_type(L, REPLACEMENT);
  lua_Integer limit = luaL_optinteger(L, LIMIT, (lua_Integer)length + 1);
  luaL_argexpected(L, kind == LUA_TNUMBER || kind == LUA_TSTRING || kind == LUA_TFUNCTION || kind == LUA_TTABLE,
                   REPLACEMENT, "string/function/table");
  lua_settop(L, VALUE);

  substitution work;
  work.kind = kind;
  work.uncopied = subject;
  work.changed = false;
  rh_prepare_matcher(&work.matcher, L, subject, length, pattern, pattern_length);
  luaL_buffinit(L, &work.result);
  lua_Integer count = substitute(&work, limit);
  if (work.changed) {
    copy_until(&work, work.matcher.subject_end);
    luaL_pushresult(&work.result);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, count);
  return 2;
}

// rep

// Fills `total` bytes with repetitions of the first `period` of them.
static void repeat(char *bytes, size_t period, size_t total) {
  for (size_t done = period; done < total;) {
    size_t count = done < total - done ? done : total - done;
    memcpy(bytes + done, bytes, count);
    done += count;
  }
}

static int string_rep(lua_State *L) {
  size_t length, separator_length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &separator_length);
  size_t period = length + separator_length;
  if (count <= 0 || period == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if (period < length || period > (size_t)INT_MAX / (size_t)count) {
    return luaL_error(L, "resulting string too large");
  }

  size_t total = period * (size_t)count - separator_length;
  luaL_Buffer result;
  char *bytes = luaL_buffinitsize(L, &result, total);
  memcpy(bytes, text, length);
  if (count > 1) memcpy(bytes + length, separator, separator_length);
  repeat(bytes, period, total);
  luaL_pushresultsize(&result, total);
  return 1;
}

int rh_open_patterns(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"find", string_find}, {"gmatch", string_gmatch}, {"gsub", string_gsub},
    {"match", string_match}, {"rep", string_rep}, {NULL, NULL},
  };
  lua_getglobal(L, LUA_STRLIBNAME);
  luaL_setfuncs(L, functions, 0);
  lua_pop(L, 1);
  return 0;
}
