// The `table` library: loops in C that ask now and then whether to go on. A table's metamethods can make it look as long
// as they like, so the elements of such a table are bounded too.
#include "internal.h"
#include <limits.h>

enum { MOST_VIRTUAL = 200000, POLL_MASK = 4095 };

// Values are moved fast enough to ask now and then. Where a metamethod may run, an element may take any time.
static int is_due(lua_Integer i, int may_call) { return (i & POLL_MASK) == 0 || (may_call && clg_slice_is_over()); }

int clg_may_call(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return 0;
  lua_pop(L, 1);
  return 1;
}

static int has_raw_field(lua_State *L, int metatable, const char *name) {
  metatable = lua_absindex(L, metatable);
  lua_pushstring(L, name);
  int found = lua_rawget(L, metatable) != LUA_TNIL;
  lua_pop(L, 1);
  return found;
}

// A table, or what has the metamethods to be one.
void clg_check_table(lua_State *L, int index, int needs) {
  if (lua_istable(L, index)) return;
  if (!lua_getmetatable(L, index) || ((needs & CLG_READ) && !has_raw_field(L, -1, "__index")) ||
      ((needs & CLG_WRITE) && !has_raw_field(L, -1, "__newindex")) || ((needs & CLG_LENGTH) && !has_raw_field(L, -1, "__len")))
    luaL_checktype(L, index, LUA_TTABLE); // raises
  else
    lua_pop(L, 1);
}

void clg_check_span(lua_State *L, int index, lua_Integer first, lua_Integer last) {
  if (last < first || (lua_Unsigned)last - (lua_Unsigned)first < MOST_VIRTUAL) return;
  if (!lua_getmetatable(L, index)) return;
  if (has_raw_field(L, -1, "__index") || has_raw_field(L, -1, "__newindex") || has_raw_field(L, -1, "__len"))
    luaL_error(L, "table with metamethods is too long (%d elements at most)", MOST_VIRTUAL);
  lua_pop(L, 1);
}

static lua_Integer length_of(lua_State *L, int needs) {
  clg_check_table(L, 1, needs | CLG_LENGTH);
  return luaL_len(L, 1);
}

// ---------------------------------------------------------------------------------------------- insert, remove
static int shift_up(lua_State *L, int status, lua_KContext from) { // table, position, value
  (void)status;
  lua_Integer position = lua_tointeger(L, 2);
  int calls = clg_may_call(L, 1);
  for (lua_Integer i = from; i > position;) {
    lua_geti(L, 1, i - 1);
    lua_seti(L, 1, i--);
    if (is_due(i, calls) && clg_poll(L)) return clg_give_way(L, i, shift_up);
  }
  lua_seti(L, 1, position);
  return 0;
}

static int table_insert(lua_State *L) {
  lua_Integer end = (lua_Integer)((lua_Unsigned)length_of(L, CLG_READ | CLG_WRITE) + 1);
  switch (lua_gettop(L)) {
  case 2: lua_seti(L, 1, end); return 0;
  case 3: {
    lua_Integer position = luaL_checkinteger(L, 2);
    luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
    clg_check_span(L, 1, position, end);
    lua_pushinteger(L, position);
    lua_replace(L, 2);
    return shift_up(L, LUA_OK, end);
  }
  default: return luaL_error(L, "wrong number of arguments to 'insert'");
  }
}

static int shift_down(lua_State *L, int status, lua_KContext from) { // table, length, the removed value
  (void)status;
  lua_Integer length = lua_tointeger(L, 2), i = from;
  int calls = clg_may_call(L, 1);
  while (i < length) {
    lua_geti(L, 1, i + 1);
    lua_seti(L, 1, i++);
    if (is_due(i, calls) && clg_poll(L)) return clg_give_way(L, i, shift_down);
  }
  lua_pushnil(L);
  lua_seti(L, 1, i);
  return 1;
}

static int table_remove(lua_State *L) {
  lua_Integer length = length_of(L, CLG_READ | CLG_WRITE), position = luaL_optinteger(L, 2, length);
  if (position != length) luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)length, 2, "position out of bounds");
  clg_check_span(L, 1, position, length);
  lua_settop(L, 1);
  lua_pushinteger(L, length);
  lua_geti(L, 1, position);
  return shift_down(L, LUA_OK, position);
}

// ---------------------------------------------------------------------------------------------- move
enum { FIRST = 2, LAST, TARGET, OTHER, BACKWARD };

static int move_on(lua_State *L, int status, lua_KContext done) {
  (void)status;
  lua_Integer first = lua_tointeger(L, FIRST), target = lua_tointeger(L, TARGET), count = lua_tointeger(L, LAST) - first + 1;
  int to = lua_isnil(L, OTHER) ? 1 : OTHER, backward = lua_toboolean(L, BACKWARD);
  int calls = clg_may_call(L, 1) || clg_may_call(L, to);
  for (lua_Integer i = done; i < count;) {
    lua_Integer at = backward ? count - 1 - i : i;
    lua_geti(L, 1, first + at);
    lua_seti(L, to, target + at);
    if (is_due(++i, calls) && clg_poll(L)) return clg_give_way(L, i, move_on);
  }
  lua_pushvalue(L, to);
  return 1;
}

static int table_move(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, FIRST), last = luaL_checkinteger(L, LAST), target = luaL_checkinteger(L, TARGET);
  int to = lua_isnoneornil(L, OTHER) ? 1 : OTHER;
  clg_check_table(L, 1, CLG_READ);
  clg_check_table(L, to, CLG_WRITE);
  if (last < first) {
    lua_pushvalue(L, to);
    return 1;
  }
  luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, LAST, "too many elements to move");
  luaL_argcheck(L, target <= LUA_MAXINTEGER - (last - first + 1) + 1, TARGET, "destination wrap around");
  clg_check_span(L, 1, first, last);
  clg_check_span(L, to, first, last);
  lua_settop(L, OTHER);
  lua_pushinteger(L, first), lua_replace(L, FIRST);
  lua_pushinteger(L, last), lua_replace(L, LAST);
  lua_pushinteger(L, target), lua_replace(L, TARGET);
  int overlaps = target <= last && target > first && (to == 1 || lua_compare(L, 1, to, LUA_OPEQ));
  lua_pushboolean(L, overlaps); // then from the end, so that nothing is overwritten before it has moved
  return move_on(L, LUA_OK, 0);
}

// ---------------------------------------------------------------------------------------------- concat
enum { SEPARATOR = 2, FROM, UP_TO, PARTS, TOTAL };

// Pushes the element of the table at `index` as text. Returns its length.
static size_t push_text(lua_State *L, int index, lua_Integer i) {
  if (!lua_isstring(L, (lua_geti(L, index, i), -1)))
    luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), (LUAI_UACINT)i);
  size_t length;
  lua_tolstring(L, -1, &length);
  return length;
}

static int join(lua_State *L, int index, lua_Integer i, lua_Integer last) {
  size_t gap, total = 0;
  const char *separator = luaL_optlstring(L, SEPARATOR, "", &gap);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (; i <= last; i++) {
    total += push_text(L, index, i) + (i < last ? gap : 0);
    luaL_addvalue(&buffer);
    if (i < last) luaL_addlstring(&buffer, separator, gap);
    clg_refuse_longer(L, total);
    if (i == last) break; // it may be the largest integer
    if ((i & POLL_MASK) == 0) clg_poll(L); // its buffer cannot wait; the string's limit bounds it
  }
  luaL_pushresult(&buffer);
  return 1;
}

// Reads a table with metamethods before its texts are joined.
static int gather(lua_State *L, int status, lua_KContext from) {
  (void)status;
  lua_Integer first = lua_tointeger(L, FROM), last = lua_tointeger(L, UP_TO);
  size_t gap;
  luaL_optlstring(L, SEPARATOR, "", &gap);
  for (lua_Integer i = from; i <= last; i++) {
    size_t total = (size_t)lua_tointeger(L, TOTAL) + push_text(L, 1, i) + (i < last ? gap : 0);
    clg_refuse_longer(L, total);
    lua_rawseti(L, PARTS, i - first + 1);
    lua_pushinteger(L, (lua_Integer)total);
    lua_replace(L, TOTAL);
    if (i == last) break;
    if (is_due(i, 1) && clg_poll(L)) return clg_give_way(L, i + 1, gather);
  }
  return join(L, PARTS, 1, last < first ? 0 : last - first + 1);
}

static int table_concat(lua_State *L) {
  lua_Integer last = length_of(L, CLG_READ);
  luaL_optstring(L, SEPARATOR, "");
  lua_Integer first = luaL_optinteger(L, FROM, 1);
  last = luaL_optinteger(L, UP_TO, last);
  if (!clg_may_call(L, 1)) return join(L, 1, first, last);
  clg_check_span(L, 1, first, last);
  lua_settop(L, SEPARATOR);
  lua_pushinteger(L, first);
  lua_pushinteger(L, last);
  lua_newtable(L);
  lua_pushinteger(L, 0);
  return gather(L, LUA_OK, first);
}

// ---------------------------------------------------------------------------------------------- unpack
static int unpack_on(lua_State *L, int status, lua_KContext from) { // what is unpacked, the last place, the values so far
  (void)status;
  lua_Integer last = lua_tointeger(L, 2);
  for (lua_Integer i = from;; i++) {
    lua_geti(L, 1, i);
    if (i == last) return lua_gettop(L) - 2;
    if (is_due(i, 1) && clg_poll(L)) return clg_give_way(L, i + 1, unpack_on);
  }
}

static int table_unpack(lua_State *L) {
  lua_Integer i = luaL_optinteger(L, 2, 1), last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));
  if (i > last) return 0;
  lua_Unsigned more = (lua_Unsigned)last - (lua_Unsigned)i;
  if (more >= (unsigned)INT_MAX - 1 || !lua_checkstack(L, (int)(more + 2))) return luaL_error(L, "too many results to unpack");
  if (clg_may_call(L, 1)) {
    clg_check_span(L, 1, i, last);
    lua_settop(L, 1);
    lua_pushinteger(L, last);
    return unpack_on(L, LUA_OK, i);
  }
  for (; i < last; i++) lua_geti(L, 1, i);
  lua_geti(L, 1, last);
  return (int)(more + 1);
}

void clg_open_tables(lua_State *L) {
  static const luaL_Reg functions[] = {
    {"insert", table_insert}, {"remove", table_remove}, {"move", table_move}, {"concat", table_concat},
    {"unpack", table_unpack}, {"sort", clg_table_sort}, {NULL, NULL},
  };
  luaL_setfuncs(L, functions, 0);
}
