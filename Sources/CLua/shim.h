#pragma once
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

// Macros that Swift cannot see, as inline functions.
static inline void clua_pop(lua_State *L, int n) { lua_settop(L, -n - 1); }
static inline int clua_pcall(lua_State *L, int arguments, int results, int handler) {
  return lua_pcallk(L, arguments, results, handler, 0, NULL);
}
static inline int clua_upvalueindex(int i) { return lua_upvalueindex(i); }
static inline int clua_registryindex(void) { return LUA_REGISTRYINDEX; }
static inline int clua_gc_collect(lua_State *L) { return lua_gc(L, LUA_GCCOLLECT); }
static inline int clua_gc_step(lua_State *L, int size) { return lua_gc(L, LUA_GCSTEP, size); }
static inline void clua_gc_generational(lua_State *L) { lua_gc(L, LUA_GCGEN, 0, 0); }
