// One attempt to match a pattern of Lua's on a subject.
#ifndef REPLHOST_MATCHER_H
#define REPLHOST_MATCHER_H

#include <stdbool.h>

#include "steps.h"

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

// Makes `m` ready for matching `p` on `s`.
void rh_prepare_matcher(matcher *m, lua_State *L, const char *s, size_t length, const char *p, size_t pattern_length);
// A leading "^" is left out of the pattern and means: try once.
bool rh_take_anchor(matcher *m);
// Tries the whole pattern at `s`: the end of the match, or NULL. May raise.
const char *rh_match_at(matcher *m, const char *s);

#endif
