// Lua 5.4's pattern functions, with a step count. The library's own run inside C for minutes on a pattern such as
// ("a*"):rep(30) .. "b", where no hook reaches them. Items, captures, limits and messages are the reference manual's
// (sections 6.4 and 6.4.1) and the library's; character classes are those of ASCII whatever the locale.

#include "steps.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

enum {
  ESCAPE = '%',
  MAX_CAPTURES = 32,
  // Nested calls of `match`: guards the C stack, reported as "pattern too complex".
  MAX_DEPTH = 200,
};

// Lengths of a capture that is not a piece of text.
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

typedef struct {
  const char *start;
  ptrdiff_t length;
} capture;

// One match attempt of a pattern on a subject. Both strings end in a zero byte that is not part of them, as all Lua
// strings do: reading it needs no check, and it equals no character that means anything in a pattern.
typedef struct {
  steps budget;
  const char *subject;
  const char *subject_end;
  const char *pattern;
  const char *pattern_end;
  int depth_left;
  int level;
  capture captures[MAX_CAPTURES];
} matcher;

static const char *match(matcher *m, const char *s, const char *p);

static inline unsigned char byte(char c) { return (unsigned char)c; }

// Characters

static inline bool is_between(unsigned char c, unsigned char low, unsigned char high) {
  return (unsigned char)(c - low) <= (unsigned char)(high - low);
}

static inline bool is_digit(unsigned char c) { return is_between(c, '0', '9'); }
static inline bool is_letter(unsigned char c) { return is_between(c | 0x20, 'a', 'z'); }
static inline bool is_visible(unsigned char c) { return is_between(c, '!', '~'); }

// Whether `c` belongs to the class that `name`, the character after "%", stands for: a letter names a class, its
// capital the complement, anything else itself.
static inline bool in_class(unsigned char c, unsigned char name) {
  bool found;
  switch (name | 0x20) {
    case 'a': found = is_letter(c); break;
    case 'c': found = c < ' ' || c == 0x7f; break;
    case 'd': found = is_digit(c); break;
    case 'g': found = is_visible(c); break;
    case 'l': found = is_between(c, 'a', 'z'); break;
    case 'p': found = is_visible(c) && !is_letter(c) && !is_digit(c); break;
    case 's': found = c == ' ' || is_between(c, '\t', '\r'); break;
    case 'u': found = is_between(c, 'A', 'Z'); break;
    case 'w': found = is_letter(c) || is_digit(c); break;
    case 'x': found = is_digit(c) || is_between(c | 0x20, 'a', 'f'); break;
    case 'z': found = c == 0; break;  // undocumented since 5.2, still understood
    default: return name == c;
  }
  return found != is_between(name, 'A', 'Z');
}

// Whether `c` is in the set that begins with the "[" at `p` and ends with the "]" at `last`.
static bool in_set(unsigned char c, const char *p, const char *last) {
  bool found = true;
  if (p[1] == '^') {
    found = false;
    p++;
  }
  while (++p < last) {
    if (*p == ESCAPE) {
      p++;
      if (in_class(c, byte(*p))) return found;
    } else if (p[1] == '-' && last - p > 2) {
      p += 2;
      if (byte(p[-2]) <= c && c <= byte(p[0])) return found;
    } else if (byte(*p) == c) {
      return found;
    }
  }
  return !found;
}

// The end of the set whose "[" is just before `p`: what follows its "]".
static const char *set_end(matcher *m, const char *p) {
  const char *start = p;
  if (*p == '^') p++;
  do {  // its first character is never its end: "[]]"
    if (p == m->pattern_end) luaL_error(m->budget.L, "malformed pattern (missing ']')");
    if (*p++ == ESCAPE && p < m->pattern_end) p++;
  } while (*p != ']');
  spend(&m->budget, (p - start) / 8);
  return p + 1;
}

// The end of the single-character item at `p`, where its repetition sign would stand.
static inline const char *item_end(matcher *m, const char *p) {
  switch (*p++) {
    case ESCAPE:
      if (p == m->pattern_end) luaL_error(m->budget.L, "malformed pattern (ends with '%%')");
      return p + 1;
    case '[': return set_end(m, p);
    default: return p;
  }
}

// Whether the character at `s` matches the item from `p` to `end`.
static inline bool matches_item(const matcher *m, const char *s, const char *p, const char *end) {
  if (s >= m->subject_end) return false;
  unsigned char c = byte(*s);
  switch (*p) {
    case '.': return true;
    case ESCAPE: return in_class(c, byte(p[1]));
    case '[': return in_set(c, p, end - 1);
    default: return byte(*p) == c;
  }
}

// Captures

// The capture that a back reference "%1" to "%9" names.
static const capture *named_capture(matcher *m, char digit) {
  int index = digit - '1';
  if (index < 0 || index >= m->level || m->captures[index].length == CAPTURE_OPEN) {
    luaL_error(m->budget.L, "invalid capture index %%%d", index + 1);
  }
  return &m->captures[index];
}

static const char *open_capture(matcher *m, const char *s, const char *p, ptrdiff_t length) {
  if (m->level >= MAX_CAPTURES) luaL_error(m->budget.L, "too many captures");
  m->captures[m->level] = (capture){.start = s, .length = length};
  m->level++;
  const char *end = match(m, s, p);
  if (end == NULL) m->level--;
  return end;
}

static const char *close_capture(matcher *m, const char *s, const char *p) {
  int index = m->level - 1;
  while (index >= 0 && m->captures[index].length != CAPTURE_OPEN) index--;
  if (index < 0) luaL_error(m->budget.L, "invalid pattern capture");
  m->captures[index].length = s - m->captures[index].start;
  const char *end = match(m, s, p);
  if (end == NULL) m->captures[index].length = CAPTURE_OPEN;
  return end;
}

// Items of more than one character

// "%1": the text of an earlier capture again. A position capture never matches.
static const char *match_capture_again(matcher *m, const char *s, char digit) {
  const capture *earlier = named_capture(m, digit);
  ptrdiff_t length = earlier->length;
  if (length < 0 || m->subject_end - s < length) return NULL;
  spend(&m->budget, length / 64);
  return memcmp(earlier->start, s, (size_t)length) == 0 ? s + length : NULL;
}

// "%bxy", with `p` at its x.
static const char *match_balanced(matcher *m, const char *s, const char *p) {
  if (m->pattern_end - p < 2) luaL_error(m->budget.L, "malformed pattern (missing arguments to '%%b')");
  if (s == m->subject_end || *s != p[0]) return NULL;
  ptrdiff_t open = 1;
  while (++s < m->subject_end) {
    spend(&m->budget, 1);
    if (*s == p[1]) {
      if (--open == 0) return s + 1;
    } else if (*s == p[0]) {
      open++;
    }
  }
  return NULL;
}

// "%f[set]", with `p` at its "[". Returns what follows it in the pattern, or NULL: it consumes no subject.
static const char *match_frontier(matcher *m, const char *s, const char *p) {
  if (*p != '[') luaL_error(m->budget.L, "missing '[' after '%%f' in pattern");
  const char *end = set_end(m, p + 1);
  char before = s == m->subject ? '\0' : s[-1];
  return !in_set(byte(before), p, end - 1) && in_set(byte(*s), p, end - 1) ? end : NULL;
}

// Repetitions

// The end of the longest run of characters from `s` that match the item.
static const char *run_end(matcher *m, const char *s, const char *p, const char *end) {
  if (*p == '.') return m->subject_end;
  ptrdiff_t comparison = 1 + (end - p) / 8;
  while (matches_item(m, s, p, end)) {
    spend(&m->budget, comparison);
    s++;
  }
  return s;
}

// "item*": as many as possible first.
static const char *match_longest(matcher *m, const char *s, const char *p, const char *end) {
  for (const char *at = run_end(m, s, p, end);; at--) {
    const char *result = match(m, at, end + 1);
    if (result != NULL || at == s) return result;
  }
}

// "item-": as few as possible first.
static const char *match_shortest(matcher *m, const char *s, const char *p, const char *end) {
  for (;; s++) {
    const char *result = match(m, s, end + 1);
    if (result != NULL) return result;
    if (!matches_item(m, s, p, end)) return NULL;
  }
}

// The pattern itself

static inline const char *match_items(matcher *m, const char *s, const char *p) {
  while (p != m->pattern_end) {
    spend(&m->budget, 1);
    switch (*p) {
      case '(':
        if (p[1] == ')') return open_capture(m, s, p + 2, CAPTURE_POSITION);
        return open_capture(m, s, p + 1, CAPTURE_OPEN);
      case ')': return close_capture(m, s, p + 1);
      case '$':
        if (p + 1 != m->pattern_end) break;
        return s == m->subject_end ? s : NULL;
      case ESCAPE:
        if (p[1] == 'b') {
          if ((s = match_balanced(m, s, p + 2)) == NULL) return NULL;
          p += 4;
          continue;
        }
        if (p[1] == 'f') {
          if ((p = match_frontier(m, s, p + 2)) == NULL) return NULL;
          continue;
        }
        if (is_digit(byte(p[1]))) {
          if ((s = match_capture_again(m, s, p[1])) == NULL) return NULL;
          p += 2;
          continue;
        }
        break;
      default: break;
    }

    const char *end = item_end(m, p);
    bool matches = matches_item(m, s, p, end);
    switch (*end) {
      case '?': {
        const char *result = matches ? match(m, s + 1, end + 1) : NULL;
        if (result != NULL) return result;
        p = end + 1;
        continue;
      }
      case '+': return matches ? match_longest(m, s + 1, p, end) : NULL;
      case '*':
        if (matches) return match_longest(m, s, p, end);
        p = end + 1;
        continue;
      case '-':
        if (matches) return match_shortest(m, s, p, end);
        p = end + 1;
        continue;
      default:
        if (!matches) return NULL;
        s++;
        p = end;
    }
  }
  return s;
}

// The end of the match of the pattern from `p` on at `s`, or NULL.
static const char *match(matcher *m, const char *s, const char *p) {
  if (m->depth_left-- == 0) luaL_error(m->budget.L, "pattern too complex");
  const char *end = match_items(m, s, p);
  m->depth_left++;
  return end;
}

static void prepare(matcher *m, lua_State *L, const char *s, size_t length, const char *p, size_t pattern_length) {
  m->budget = (steps){.L = L, .left = STEPS};
  m->subject = s;
  m->subject_end = s + length;
  m->pattern = p;
  m->pattern_end = p + pattern_length;
}

// Tries the whole pattern at `s`.
static inline const char *match_at(matcher *m, const char *s) {
  m->level = 0;
  m->depth_left = MAX_DEPTH;
  return match(m, s, m->pattern);
}

// A leading "^" is left out of the pattern and means: try once.
static bool take_anchor(matcher *m) {
  bool anchored = m->pattern < m->pattern_end && *m->pattern == '^';
  if (anchored) m->pattern++;
  return anchored;
}

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
  bool anchored = take_anchor(m);
  for (;; ++*s) {
    const char *end = match_at(m, *s);
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
  prepare(&m, L, subject, length, pattern, pattern_length);
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
    const char *end = match_at(m, s);
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
  prepare(&state->matcher, L, subject, length, pattern, pattern_length);
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
  } else if (is_digit(byte(c))) {
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
  bool anchored = take_anchor(m);
  const char *s = m->subject;
  const char *last_end = NULL;  // an empty match there would repeat the last one
  lua_Integer count = 0;
  while (count < limit) {
    const char *end = match_at(m, s);
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
  prepare(&work.matcher, L, subject, length, pattern, pattern_length);
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
