// Stand-ins until a state knows interrupts: nothing ever has to stop.

#include "patterns.h"

#include <lauxlib.h>
#include <stdlib.h>

__attribute__((weak)) int rh_interrupted(lua_State *L) {
  (void)L;
  return 0;
}

__attribute__((weak)) _Noreturn void rh_raise_interrupt(lua_State *L) {
  luaL_error(L, "interrupted");
  abort();
}
