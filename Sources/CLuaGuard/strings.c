// The other functions of `string` that can take long or make much: bounded before they begin.
#include "internal.h"

size_t clg_string_limit(lua_State *L) { return clg_state_inline(L)->memory.string_limit; }

// The text is doubled, so that a short one costs no more than a long one.
static int string_rep(lua_State *L) {
  size_t length, gap;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_Integer count = luaL_checkinteger(L, 2);
  const char *separator = luaL_optlstring(L, 3, "", &gap);
  if (count <= 0 || length + gap == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  if ((lua_Unsigned)count > (clg_string_limit(L) + gap) / (length + gap)) return luaL_error(L, "resulting string too large");
  size_t total = (length + gap) * (size_t)count - gap, filled = length + gap < total ? length + gap : total;
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, total);
  memcpy(bytes, text, length);
  memcpy(bytes + length, separator, filled - length);
  while (filled < total) {
    size_t more = filled < total - filled ? filled : total - filled;
    memcpy(bytes + filled, bytes, more);
    filled += more;
  }
  luaL_pushresultsize(&buffer, total);
  return 1;
}

// Lua's own; "c2147483647" would pad two gigabytes, a byte at a time.
static int string_pack(lua_State *L) {
  size_t limit = clg_string_limit(L), total = 0;
  for (const char *p = luaL_checkstring(L, 1); *p; p++) {
    if (*p != 'c') continue;
    size_t size = 0;
    while (p[1] >= '0' && p[1] <= '9' && size <= limit) size = size * 10 + (size_t)(*++p - '0');
    total += size;
    if (total > limit) return luaL_error(L, "resulting string too large");
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// Lua's own. Each item is a call of snprintf, which takes up to some microseconds, and "%q" makes one for each control byte.
enum { MOST_ITEMS = 10000, MOST_QUOTED = 1 << 20 };

static int string_format(lua_State *L) {
  int count = lua_gettop(L);
  if (count > MOST_ITEMS) return luaL_error(L, "too many values to format (%d at most)", MOST_ITEMS);
  size_t length;
  const char *form = luaL_checklstring(L, 1, &length);
  if (memmem(form, length, "%q", 2)) {
    size_t quoted = 0;
    for (int i = 2; i <= count; i++) quoted += lua_type(L, i) == LUA_TSTRING ? lua_rawlen(L, i) : 0;
    if (quoted > MOST_QUOTED) return luaL_error(L, "strings are too long to quote (%d bytes at most)", MOST_QUOTED);
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void clg_open_strings(lua_State *L) {
  lua_pushcfunction(L, string_rep);
  lua_setfield(L, -2, "rep");
  lua_getfield(L, -1, "pack");
  lua_pushcclosure(L, string_pack, 1);
  lua_setfield(L, -2, "pack");
  lua_getfield(L, -1, "format");
  lua_pushcclosure(L, string_format, 1);
  lua_setfield(L, -2, "format");
}
