// Lua calls an empty C function with an integer.
#include "clock.h"
#include "floors.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

static int empty(lua_State *L) {
  (void)L;
  return 0;
}

double floor_empty_function(int calls) {
  static lua_State *L;
  static int loop;
  if (!L) {
    L = luaL_newstate();
    if (!L) abort();
    luaL_openlibs(L);
    lua_pushcfunction(L, empty);
    lua_setglobal(L, "f");
    if (luaL_dostring(L, "local f = f return function(n) for i = 1, n do f(i) end end") != LUA_OK) abort();
    loop = luaL_ref(L, LUA_REGISTRYINDEX);
  }
  double start = nanoseconds_now();
  lua_rawgeti(L, LUA_REGISTRYINDEX, loop);
  lua_pushinteger(L, calls);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) abort();
  return (nanoseconds_now() - start) / calls;
}
