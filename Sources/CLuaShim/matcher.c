// Lua 5.4's pattern matching, with a step count: the library's own runs inside C for minutes on a pattern such as
// ("a*"):rep(30) .. "b", where no hook reaches it. Items, captures, limits and messages are the reference manual's
// (section 6.4.1) and the library's; character classes are those of ASCII whatever the locale.

#include "matcher.h"

#include <lauxlib.h>
#include <string.h>

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

void rh_prepare_matcher(matcher *m, lua_State *L, const char *s, size_t length, const char *p, size_t pattern_length) {
  m->budget = (steps){.L = L, .left = STEPS};
  m->subject = s;
  m->subject_end = s + length;
  m->pattern = p;
  m->pattern_end = p + pattern_length;
}

const char *rh_match_at(matcher *m, const char *s) {
  m->level = 0;
  m->depth_left = MAX_DEPTH;
  return match(m, s, m->pattern);
}

bool rh_take_anchor(matcher *m) {
  bool anchored = m->pattern < m->pattern_end && *m->pattern == '^';
  if (anchored) m->pattern++;
  return anchored;
}
