/* What a script may do to the machine: by default no other programs, no C code, and files of its own directory only. */
#include "state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* MARK: Files */

/* The real path of a file that need not exist yet. */
static bool resolve(const char *path, char *result) {
  struct stat link;
  if (realpath(path, result) != NULL) return true;
  if (errno != ENOENT || (lstat(path, &link) == 0 && S_ISLNK(link.st_mode))) {
    if (errno == ENOENT) errno = EACCES; /* writing to a link that leads nowhere makes a file there */
    return false;
  }
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  size_t length = slash != NULL ? (size_t)(slash - path) : 0;
  if (length >= sizeof folder || strcmp(name, "..") == 0) return false;
  memcpy(folder, path, length);
  folder[length] = 0;
  if (realpath(slash == path ? "/" : length > 0 ? folder : ".", result) == NULL) return false;
  size_t used = strlen(result);
  if (used + strlen(name) + 2 > PATH_MAX) return false;
  result[used] = '/';
  strcpy(result + used + 1, name);
  return true;
}

static bool is_within(const char *path, const char *directory) {
  char real[PATH_MAX];
  if (!resolve(path, real)) return errno == ENOENT || errno == ENOTDIR; /* opening it will say so */
  size_t length = strlen(directory);
  if (strcmp(directory, "/") == 0) return true;
  return strncmp(real, directory, length) == 0 && (real[length] == '/' || real[length] == 0);
}

void rh_check_path(lua_State *L, int index, const char *function) {
  const char *directory = state_of(L)->directory;
  if (directory == NULL || !lua_isstring(L, index) || is_within(lua_tostring(L, index), directory)) return;
  luaL_error(L, "%s: \"%s\" is outside the script's directory (--allow io opens the rest)", function,
             lua_tostring(L, index));
}

/* Calls a library function after a look at its paths. Upvalues: the function, its name, how many paths it takes. */
static int guarded(lua_State *L) {
  lua_Integer paths = lua_tointeger(L, lua_upvalueindex(3));
  for (int i = 1; i <= paths; i++) rh_check_path(L, i, lua_tostring(L, lua_upvalueindex(2)));
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

typedef struct {
  const char *library, *name;
  int paths;
} guarded_function;

static const guarded_function guarded_functions[] = {
    {"io", "open", 1},   {"io", "lines", 1},  {"io", "input", 1}, {"io", "output", 1},
    {"os", "remove", 1}, {"os", "rename", 2}, {NULL, NULL, 0},
};

static void guard_files(lua_State *L) {
  for (const guarded_function *f = guarded_functions; f->library != NULL; f++) {
    lua_getglobal(L, f->library);
    lua_getfield(L, -1, f->name);
    lua_pushfstring(L, "%s.%s", f->library, f->name);
    lua_pushinteger(L, f->paths);
    lua_pushcclosure(L, guarded, 3);
    lua_setfield(L, -2, f->name);
    lua_pop(L, 1);
  }
}

/* MARK: What is taken away */

static void remove_field(lua_State *L, const char *library, const char *name) {
  if (lua_getglobal(L, library) == LUA_TTABLE) {
    lua_pushnil(L);
    lua_setfield(L, -2, name);
  }
  lua_pop(L, 1);
}

/* Keeps only the named fields (a list that ends with NULL) of a library. */
static void keep_fields(lua_State *L, const char *library, const char *const *names) {
  lua_getglobal(L, library);
  lua_newtable(L);
  for (; *names != NULL; names++) {
    lua_getfield(L, -2, *names);
    lua_setfield(L, -2, *names);
  }
  lua_pushvalue(L, -1);
  lua_setglobal(L, library);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, library);
  lua_pop(L, 3);
}

static void remove_library(lua_State *L, const char *library) {
  lua_pushnil(L);
  lua_setglobal(L, library);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushnil(L);
  lua_setfield(L, -2, library);
  lua_pop(L, 1);
}

static void remove_c_modules(lua_State *L) {
  lua_getglobal(L, "package");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_getfield(L, -1, "searchers");
  for (int i = 4; i >= 3; i--) {
    lua_pushnil(L);
    lua_rawseti(L, -2, i);
  }
  lua_pop(L, 2);
  remove_field(L, "package", "loadlib");
}

/* os.exit ends the script, not the process: everything that is open is closed first. */
static int exit_script(lua_State *L) {
  rh_state *S = state_of(L);
  if (lua_isboolean(L, 1)) {
    S->exit_code = lua_toboolean(L, 1) ? 0 : 1;
  } else {
    S->exit_code = (int)luaL_optinteger(L, 1, 0);
  }
  S->requested = RH_EXIT;
  rh_raise_interrupt(L);
}

static void restrict_libraries(lua_State *L, unsigned allowed, bool strict) {
  static const char *const harmless_debug[] = {"traceback", "getinfo", NULL};
  if (!(allowed & RH_ALLOW_DEBUG)) keep_fields(L, "debug", harmless_debug);
  if (allowed & RH_ALLOW_OS) {
    lua_getglobal(L, "os");
    lua_pushcfunction(L, exit_script);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
  } else {
    remove_field(L, "os", "execute");
    remove_field(L, "os", "exit");
    remove_field(L, "os", "setlocale"); /* changes how all threads write numbers */
    remove_field(L, "io", "popen");
    remove_c_modules(L);
  }
  if (strict) {
    remove_library(L, "io");
    remove_library(L, "os");
    remove_field(L, LUA_GNAME, "dofile");
    remove_field(L, LUA_GNAME, "loadfile");
  } else if (!(allowed & RH_ALLOW_IO)) {
    remove_field(L, "os", "tmpname"); /* makes a file elsewhere */
    guard_files(L);
  }
}

void rh_open_libraries(lua_State *L, unsigned allowed, bool strict, const char *directory) {
  rh_state *S = state_of(L);
  S->allowed = allowed;
  if (!(allowed & RH_ALLOW_IO)) {
    S->directory = realpath(directory, NULL);
    if (S->directory == NULL) S->directory = strdup(directory);
    if (S->directory == NULL) luaL_error(L, "not enough memory");
  }
  luaL_openlibs(L);
  rh_open_protected_calls(L);
  rh_open_coroutines(L);
  rh_open_patterns(L);
  rh_open_tables(L);
  rh_open_loaders(L);
  restrict_libraries(L, allowed, strict);
}
