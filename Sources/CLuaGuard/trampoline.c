// Lua calls Swift: Swift returns a status, and C raises or yields after every Swift frame is gone.
#include "internal.h"

int clg_call_swift(lua_State *L) {
  clg_function function = (clg_function)lua_touserdata(L, lua_upvalueindex(1));
  clg_memory *memory = &clg_state_inline(L)->memory;
  memory->host++;
  int status = function(L, lua_touserdata(L, lua_upvalueindex(2)));
  memory->host--;
  if (memory->over) clg_settle(L, memory);
  if (status >= 0) return status;
  if (status == CLG_ERROR) return lua_error(L);
  if (status == CLG_NO_MEMORY) return clg_no_memory(L);
  lua_Integer packed = lua_tointeger(L, lua_upvalueindex(3));
  return clg_wait(L, (int)(packed & 0xff), (int)(packed >> 8), 0);
}

void clg_push_function(lua_State *L, clg_function function, void *context) {
  lua_pushlightuserdata(L, (void *)function);
  lua_pushlightuserdata(L, context);
  lua_pushcclosure(L, clg_call_swift, 2);
}

void clg_push_waiting_function(lua_State *L, clg_function function, void *context, int op, int operand) {
  lua_pushlightuserdata(L, (void *)function);
  lua_pushlightuserdata(L, context);
  lua_pushinteger(L, op | (lua_Integer)operand << 8);
  lua_pushcclosure(L, clg_call_swift, 3);
}

static int handle_error(lua_State *L) {
  if (clg_is_killed(L, LUA_OK)) return 1;
  clg_function function = (clg_function)lua_touserdata(L, lua_upvalueindex(1));
  clg_memory *memory = &clg_state_inline(L)->memory;
  memory->host++;
  function(L, lua_touserdata(L, lua_upvalueindex(2)));
  memory->host--;
  if (memory->over) clg_settle(L, memory);
  return 1;
}

void clg_push_handler(lua_State *L, clg_function function, void *context) {
  lua_pushlightuserdata(L, (void *)function);
  lua_pushlightuserdata(L, context);
  lua_pushcclosure(L, handle_error, 2);
}

static int protected_body(lua_State *L) {
  lua_CFunction function = (lua_CFunction)lua_touserdata(L, 1);
  lua_remove(L, 1);
  return function(L);
}

int clg_protected(lua_State *L, lua_CFunction function, void *argument) {
  clg_memory *memory = &clg_state_inline(L)->memory;
  memory->host++;
  lua_checkstack(L, 8);
  memory->host--;
  lua_pushcfunction(L, protected_body);
  lua_pushlightuserdata(L, (void *)function);
  lua_pushlightuserdata(L, argument);
  return lua_pcall(L, 2, LUA_MULTRET, 0);
}

// "@": messages begin with the name as it is, as for a file.
int clg_load(lua_State *L, const char *code, size_t length, const char *name, const char *mode) {
  char with_mark[256] = "@";
  strncat(with_mark, name, sizeof with_mark - 2);
  return luaL_loadbufferx(L, code ? code : "", length, with_mark, mode); // protected: it returns its errors
}

static int add_traceback(lua_State *L) {
  if (clg_is_killed(L, LUA_OK) || lua_type(L, 1) != LUA_TSTRING) return 1;
  luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

int clg_call(lua_State *L, int arguments, int results) {
  int base = lua_gettop(L) - arguments;
  lua_pushcfunction(L, add_traceback);
  lua_insert(L, base);
  int status = lua_pcall(L, arguments, results, base);
  lua_remove(L, base);
  return status;
}
