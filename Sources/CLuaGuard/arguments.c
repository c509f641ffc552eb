// Library functions that take any number of arguments, each of which may take long.
#include "internal.h"
#include <limits.h>

// ---------------------------------------------------------------------------------------------- numbers as text
// To read one of 16 MB takes tens of milliseconds: those that are long are read beforehand, one by one.

enum { SHORT_NUMERAL = 64 };

int clg_read_numeral(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) return 0;
  size_t length;
  const char *text = lua_tolstring(L, index, &length);
  if (length <= SHORT_NUMERAL) return 0;
  size_t read = lua_stringtonumber(L, text); // 0, or one more than the bytes that it took
  if (read == length + 1)
    lua_replace(L, index);
  else if (read)
    lua_pop(L, 1); // a zero byte ended it
  return 1;
}

static int read_and_call(lua_State *L, int status, lua_KContext from) {
  (void)status;
  int count = lua_gettop(L);
  for (int i = (int)from; i <= count; i++)
    if (clg_read_numeral(L, i) && clg_slice_is_over() && clg_poll(L)) return clg_give_way(L, i + 1, read_and_call);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int with_numerals(lua_State *L) { return read_and_call(L, LUA_OK, 1); }

void clg_read_numerals(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, with_numerals, 1);
  lua_setfield(L, -2, name);
}

// ---------------------------------------------------------------------------------------------- math.max, math.min
// Texts and what has an `__lt` are compared too. `context` is the place of the best so far and, in its last 32 bits, of the next.
static int compare_on(lua_State *L, int status, lua_KContext context) {
  (void)status;
  int best = (int)(context >> 32), count = lua_gettop(L), wants_least = lua_toboolean(L, lua_upvalueindex(1));
  for (int i = (int)(context & INT_MAX); i <= count; i++) {
    if (wants_least ? lua_compare(L, i, best, LUA_OPLT) : lua_compare(L, best, i, LUA_OPLT)) best = i;
    if (clg_slice_is_over() && clg_poll(L)) return clg_give_way(L, (lua_KContext)best << 32 | (i + 1), compare_on);
  }
  lua_pushvalue(L, best);
  return 1;
}

static int find_extreme(lua_State *L) {
  luaL_checkany(L, 1);
  return compare_on(L, LUA_OK, (lua_KContext)1 << 32 | 2);
}

void clg_open_extremes(lua_State *L) {
  static const char *const names[] = {"max", "min"};
  for (int i = 0; i < 2; i++) {
    lua_pushboolean(L, i);
    lua_pushcclosure(L, find_extreme, 1);
    lua_setfield(L, -2, names[i]);
  }
}
