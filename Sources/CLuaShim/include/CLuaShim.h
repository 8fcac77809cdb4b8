#ifndef REPLHOST_LUA_SHIM_H
#define REPLHOST_LUA_SHIM_H

#include <lua.h>

#endif
