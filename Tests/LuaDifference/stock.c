// Stock Lua, to compare the sandbox with.
#include "include/CStockLua.h"
#include <lauxlib.h>
#include <lualib.h>

struct stock_lua {
  lua_State *L;
};

stock_lua *stock_open(const char *chunk, size_t length) {
  stock_lua *stock = malloc(sizeof *stock);
  lua_State *L = stock->L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_loadbufferx(L, chunk, length, "@cases.lua", "t") == LUA_OK && lua_pcall(L, 0, 1, 0) == LUA_OK) return stock;
  stock_close(stock);
  return NULL;
}

void stock_close(stock_lua *stock) {
  lua_close(stock->L);
  free(stock);
}

const char *stock_case(stock_lua *stock, long long number, size_t *length) {
  lua_State *L = stock->L;
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, number);
  lua_pcall(L, 1, 1, 0);
  return lua_tolstring(L, -1, length);
}

const char *stock_call(stock_lua *stock, const char *text, size_t text_length, size_t *length) {
  lua_State *L = stock->L;
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, text ? text : "", text_length);
  lua_pcall(L, 1, 1, 0);
  return lua_tolstring(L, -1, length);
}
