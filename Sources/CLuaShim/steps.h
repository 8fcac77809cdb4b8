#ifndef REPLHOST_LUA_STEPS_H
#define REPLHOST_LUA_STEPS_H

#include "patterns.h"

#include <stddef.h>

/// Steps between two looks at the interrupt flag: some 20 to 100 µs of work.
enum { STEPS = 8192 };

/// What a loop in C may still do before it has to ask whether it must stop.
typedef struct {
  lua_State *L;
  ptrdiff_t left;
} steps;

/// Asks whether to stop; raises if so.
static inline void renew_steps(steps *budget) {
  budget->left = STEPS;
  if (rh_interrupted(budget->L)) rh_raise_interrupt(budget->L);
}

/// Counts `count` steps. Every loop whose length a script chooses calls it.
static inline void spend(steps *budget, ptrdiff_t count) {
  budget->left -= count;
  if (__builtin_expect(budget->left < 0, 0)) renew_steps(budget);
}

#endif
