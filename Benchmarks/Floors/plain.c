// A chunk in plain Lua: its own libraries, no limits.
#include "clock.h"
#include "floors.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>

double floor_plain(const char *chunk) {
  lua_State *L = luaL_newstate();
  if (!L) return -1;
  luaL_openlibs(L);
  double spent = -1;
  if (luaL_loadstring(L, chunk) == LUA_OK) {
    double start = nanoseconds_now();
    if (lua_pcall(L, 0, 0, 0) == LUA_OK) spent = nanoseconds_now() - start;
  }
  if (spent < 0) fprintf(stderr, "floor: %s\n", lua_tostring(L, -1));
  lua_close(L);
  return spent;
}
