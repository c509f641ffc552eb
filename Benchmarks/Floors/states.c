// As many sandboxed states as files, each running its file from source. A bare sandbox: Lua's own libraries without what
// reaches outside, globals that cannot be written, and a `chain` that takes declarations and keeps nothing of them.
#include "clock.h"
#include "floors.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static lua_State **states;
static int state_count;

// ---------------------------------------------------------------------------------------------- a stand-in for chain
static int return_first(lua_State *L) { // a type
  lua_settop(L, 1);
  return 1;
}

static int return_table(lua_State *L) { // the declaration, called with its spec
  lua_settop(L, 1);
  lua_createtable(L, 0, 4);
  return 1;
}

static int declare(lua_State *L) {
  luaL_checkstring(L, 1);
  lua_pushcfunction(L, return_table);
  return 1;
}

static int require_chain(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, declare);
  lua_setfield(L, -2, "chainlet");
  lua_createtable(L, 0, 3);
  static const char *const types[] = {"string", "integer", "list", NULL};
  for (const char *const *type = types; *type; type++) {
    lua_pushcfunction(L, return_first);
    lua_setfield(L, -2, *type);
  }
  lua_setfield(L, -2, "types");
  return 1;
}

// ---------------------------------------------------------------------------------------------- the sandbox
static int refuse(lua_State *L) { return luaL_error(L, "globals are sealed"); }

static void open_libraries(lua_State *L) {
  static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},         {LUA_TABLIBNAME, luaopen_table}, {LUA_STRLIBNAME, luaopen_string},
    {LUA_MATHLIBNAME, luaopen_math},   {LUA_UTF8LIBNAME, luaopen_utf8}, {LUA_COLIBNAME, luaopen_coroutine},
    {LUA_OSLIBNAME, luaopen_os},       {LUA_DBLIBNAME, luaopen_debug},  {NULL, NULL},
  };
  for (const luaL_Reg *library = libraries; library->name; library++) {
    luaL_requiref(L, library->name, library->func, 1);
    lua_pop(L, 1);
  }
  static const char *const unsafe[] = {"load", "loadfile", "dofile", "collectgarbage", NULL};
  for (const char *const *name = unsafe; *name; name++) {
    lua_pushnil(L);
    lua_setglobal(L, *name);
  }
  lua_pushcfunction(L, require_chain);
  lua_setglobal(L, "require");
}

static lua_State *open_sandbox(void) {
  lua_State *L = luaL_newstate();
  if (!L) return NULL;
  open_libraries(L);
  lua_createtable(L, 0, 0); // what chunks see as _ENV
  lua_createtable(L, 0, 2);
  lua_pushglobaltable(L);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, refuse);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, -2);
  return L;
}

static int run_file(lua_State *L, const char *file) {
  if (luaL_loadfilex(L, file, "t") != LUA_OK) return 0;
  lua_pushvalue(L, 1);
  lua_setupvalue(L, -2, 1);
  return lua_pcall(L, 0, 1, 0) == LUA_OK;
}

double floor_open_states(const char *const *files, int count) {
  floor_close_states();
  states = calloc((size_t)count, sizeof *states);
  if (!states) return -1;
  double start = nanoseconds_now();
  for (; state_count < count; state_count++) {
    lua_State *L = states[state_count] = open_sandbox();
    if (!L) return -1;
    if (!run_file(L, files[state_count])) {
      fprintf(stderr, "floor: %s\n", lua_tostring(L, -1));
      return -1;
    }
  }
  return (nanoseconds_now() - start) / 1e6;
}

void floor_close_states(void) {
  while (state_count > 0) lua_close(states[--state_count]);
  free(states);
  states = NULL;
}
