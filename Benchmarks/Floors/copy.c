// Copies plain data from state to state, unchecked.
#include "copy.h"
#include <lauxlib.h>

static void copy_list(lua_State *from, int index, lua_State *to, lua_Integer length, int fields) {
  lua_createtable(to, (int)length, 0);
  for (lua_Integer i = 1; i <= length; i++) {
    lua_rawgeti(from, index, i);
    floor_copy(from, -1, to, fields);
    lua_rawseti(to, -2, i);
    lua_pop(from, 1);
  }
}

static void copy_record(lua_State *from, int index, lua_State *to, int fields) {
  lua_createtable(to, 0, fields);
  lua_pushnil(from);
  while (lua_next(from, index)) {
    floor_copy(from, -2, to, fields);
    floor_copy(from, -1, to, fields);
    lua_rawset(to, -3);
    lua_pop(from, 1);
  }
}

void floor_copy(lua_State *from, int index, lua_State *to, int fields) {
  index = lua_absindex(from, index);
  switch (lua_type(from, index)) {
    case LUA_TNUMBER:
      if (lua_isinteger(from, index)) lua_pushinteger(to, lua_tointeger(from, index));
      else lua_pushnumber(to, lua_tonumber(from, index));
      break;
    case LUA_TSTRING: {
      size_t length;
      const char *text = lua_tolstring(from, index, &length);
      lua_pushlstring(to, text, length);
      break;
    }
    case LUA_TBOOLEAN: lua_pushboolean(to, lua_toboolean(from, index)); break;
    case LUA_TTABLE: {
      lua_Integer length = (lua_Integer)lua_rawlen(from, index);
      if (length > 0) copy_list(from, index, to, length, fields);
      else copy_record(from, index, to, fields);
      break;
    }
    default: lua_pushnil(to);
  }
}
