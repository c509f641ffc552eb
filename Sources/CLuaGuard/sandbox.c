// The libraries that a script may use, read-only, behind sealed globals.
#include "internal.h"
#include <stdlib.h>
#include <time.h>

static char sealed_key, real_key; // addresses are registry keys

// ---------------------------------------------------------------------------------------------- nearest names
enum { LONGEST_NAME = 64 };

int clg_distance(const char *a, size_t a_length, const char *b, size_t b_length) {
  if (a_length > LONGEST_NAME || b_length > LONGEST_NAME) return LONGEST_NAME;
  int before[LONGEST_NAME + 1], row[LONGEST_NAME + 1], next[LONGEST_NAME + 1];
  for (size_t j = 0; j <= b_length; j++) row[j] = (int)j;
  for (size_t i = 1; i <= a_length; i++) {
    next[0] = (int)i;
    for (size_t j = 1; j <= b_length; j++) {
      int best = row[j - 1] + (a[i - 1] != b[j - 1]);
      if (row[j] + 1 < best) best = row[j] + 1;
      if (next[j - 1] + 1 < best) best = next[j - 1] + 1;
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best) best = before[j - 2] + 1;
      next[j] = best;
    }
    memcpy(before, row, sizeof row);
    memcpy(row, next, sizeof row);
  }
  return row[b_length];
}

// Pushes the string key of the table at `index` that is nearest to `name`; false (and nothing) when none is near.
static int push_nearest(lua_State *L, int index, const char *name, size_t length) {
  index = lua_absindex(L, index);
  int best = length < 4 ? 2 : (int)(length / 3) + 1; // exclusive
  lua_pushnil(L);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    size_t n;
    const char *key = lua_tolstring(L, -1, &n);
    int distance = clg_distance(name, length, key, n);
    if (distance < best) {
      best = distance;
      lua_pushvalue(L, -1);
      lua_replace(L, -3);
    }
  }
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return 0;
  }
  return 1;
}

// ---------------------------------------------------------------------------------------------- read-only views
static int refuse_write(lua_State *L) {
  const char *table = lua_tostring(L, lua_upvalueindex(1));
  const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : luaL_typename(L, 2);
  return luaL_error(L, "cannot set '%s' in %s: it is read-only", key, table);
}

static int next_of_view(lua_State *L) {
  lua_settop(L, 2);
  return lua_next(L, lua_upvalueindex(1)) ? 2 : 1;
}

static int pairs_of_view(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, next_of_view, 1); // never the table itself: it could be written to
  return 1;
}

static int length_of_view(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
  return 1;
}

int clg_make_read_only(lua_State *L, const char *name) {
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 5);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushstring(L, name);
  lua_pushcclosure(L, refuse_write, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushvalue(L, -3);
  lua_pushcclosure(L, pairs_of_view, 1);
  lua_setfield(L, -2, "__pairs");
  if (lua_rawlen(L, -3) > 0) {
    lua_pushvalue(L, -3);
    lua_pushcclosure(L, length_of_view, 1);
    lua_setfield(L, -2, "__len");
  }
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_remove(L, -2);
  return 1;
}

int clg_push_viewed(lua_State *L, int index, const char *name) {
  int top = lua_gettop(L);
  if (!lua_getmetatable(L, index)) return 0;
  lua_pushliteral(L, "__newindex");
  lua_rawget(L, -2);
  // No script can have that function: views have no metatable that one may see.
  if (lua_tocfunction(L, -1) == refuse_write && lua_getupvalue(L, -1, 1) && strcmp(lua_tostring(L, -1), name) == 0) {
    lua_settop(L, top + 1);
    lua_pushliteral(L, "__index");
    lua_rawget(L, top + 1);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return 1;
  }
  lua_settop(L, top);
  return 0;
}

// ---------------------------------------------------------------------------------------------- sealed globals
static int undefined_global(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "global names are strings, not %s", luaL_typename(L, 2));
  size_t length;
  const char *name = lua_tolstring(L, 2, &length);
  if (clg_push_library(L, name)) return 1;
  clg_push_real_globals(L);
  for (int i = 0; clg_library_name(i); i++, lua_pop(L, 1)) clg_push_library(L, clg_library_name(i)); // they may be meant
  if (push_nearest(L, -1, name, length))
    return luaL_error(L, "global '%s' is not defined; did you mean '%s'?", name, lua_tostring(L, -1));
  static const char *const left_out[] = {"io", "package", "load", "loadfile", "dofile", "loadstring", "collectgarbage", "warn", NULL};
  for (int i = 0; left_out[i]; i++)
    if (strcmp(name, left_out[i]) == 0) return luaL_error(L, "'%s' is not available to chainlets (see docs/authors)", name);
  return luaL_error(L, "global '%s' is not defined", name);
}

static int refuse_global(lua_State *L) {
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "globals cannot be set");
  const char *name = lua_tostring(L, 2);
  return luaL_error(L, "cannot assign global '%s': globals are sealed; write 'local %s', or keep it in self", name, name);
}

void clg_push_globals(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &sealed_key); }
void clg_push_real_globals(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &real_key); }

// ---------------------------------------------------------------------------------------------- guarded base functions
static int has_field(lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  int found = lua_rawget(L, index) != LUA_TNIL;
  lua_pop(L, 1);
  return found;
}

static int guarded_setmetatable(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  int type = lua_type(L, 2);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (lua_getmetatable(L, 1)) {
    if (type == LUA_TTABLE && lua_rawequal(L, -1, 2)) {
      lua_settop(L, 1);
      return 1;
    }
    return luaL_error(L, "cannot change a metatable that is set: make a new table");
  }
  if (type == LUA_TTABLE) {
    if (has_field(L, 2, "__gc")) return luaL_error(L, "__gc is not available to chainlets: use a <close> variable");
    if (has_field(L, 2, "__mode")) return luaL_error(L, "weak tables are not available to chainlets");
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

static int guarded_rawset(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (lua_getmetatable(L, 1)) {
    if (has_field(L, 4, "__metatable")) return luaL_error(L, "cannot set a field: the table is read-only");
    lua_pop(L, 1);
  }
  lua_rawset(L, 1);
  return 1;
}

// As Lua's, but __tostring may wait.
static int finish_tostring(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  if (!lua_isstring(L, -1)) return luaL_error(L, "'__tostring' must return a string");
  return 1;
}

static int guarded_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
    luaL_tolstring(L, 1, NULL);
    return 1;
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 1, 0, finish_tostring);
  return finish_tostring(L, LUA_OK, 0);
}

// ---------------------------------------------------------------------------------------------- os
enum { LONGEST_DATE_FORMAT = 16384 }; // each of its items is a call of strftime
static int64_t wall_seconds(void) {
  clg_watch *watch = clg_thread_watch;
  if (watch && watch->wall) return watch->wall(watch->wall_context) / 1000000000;
  return (int64_t)time(NULL);
}

static int host_time(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_pushinteger(L, wall_seconds());
    return 1;
  }
  int count = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, count, 1);
  return 1;
}

static int host_date(lua_State *L) {
  lua_settop(L, 2);
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "%c");
    lua_replace(L, 1);
  }
  size_t length;
  luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length <= LONGEST_DATE_FORMAT, 1, "format is too long");
  if (lua_isnil(L, 2)) {
    lua_pushinteger(L, wall_seconds());
    lua_replace(L, 2);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 2, 1);
  return 1;
}

static int host_clock(lua_State *L) {
  clg_watch *watch = clg_thread_watch;
  struct timespec t;
  if (watch && watch->clock) {
    lua_pushnumber(L, (lua_Number)*watch->clock / 1e9);
    return 1;
  }
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
  return 1;
}

static void push_os(lua_State *L) {
  luaopen_os(L);
  lua_createtable(L, 0, 3);
  lua_getfield(L, -2, "time");
  lua_pushcclosure(L, host_time, 1);
  lua_setfield(L, -2, "time");
  lua_getfield(L, -2, "date");
  lua_pushcclosure(L, host_date, 1);
  lua_setfield(L, -2, "date");
  lua_pushcfunction(L, host_clock);
  lua_setfield(L, -2, "clock");
  lua_remove(L, -2);
}

static void push_debug(lua_State *L) {
  luaopen_debug(L);
  lua_createtable(L, 0, 1);
  lua_getfield(L, -2, "traceback");
  lua_setfield(L, -2, "traceback");
  lua_remove(L, -2);
}

// ---------------------------------------------------------------------------------------------- libraries
static void remove_field(lua_State *L, const char *name) {
  lua_pushnil(L);
  lua_setfield(L, -2, name);
}

static void push_coroutine(lua_State *L) { clg_push_coroutines(L); }

static void push_table(lua_State *L) {
  luaopen_table(L);
  clg_open_tables(L);
}

static void push_utf8(lua_State *L) {
  luaopen_utf8(L);
  clg_read_numerals(L, "char");
}

static void push_math(lua_State *L) {
  luaopen_math(L);
  clg_open_extremes(L);
  uint64_t seed = clg_state_inline(L)->seed;
  if (!seed) return;
  // On the main coroutine: this one may be waiting for what needs the library, and Lua calls nothing on one that waits.
  clg_state *state = clg_state_inline(L);
  state->memory.host++;
  lua_checkstack(state->main, 4);
  lua_getfield(L, -1, "randomseed");
  lua_xmove(L, state->main, 1);
  lua_pushinteger(state->main, (lua_Integer)seed);
  lua_call(state->main, 1, 0);
  state->memory.host--;
}

static void push_string(lua_State *L) {
  luaopen_string(L);
  remove_field(L, "dump");
  clg_open_matching(L);
  clg_open_strings(L);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1); // methods of strings look in the library itself; nobody else can reach it
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}

static const struct library {
  const char *name;
  void (*push)(lua_State *L);
} libraries[] = {
  {"string", push_string}, {"table", push_table}, {"math", push_math},   {"utf8", push_utf8},
  {"os", push_os},         {"debug", push_debug}, {"coroutine", push_coroutine},
};
enum { LIBRARY_COUNT = sizeof libraries / sizeof *libraries };

const char *clg_library_name(int index) { return index >= 0 && index < LIBRARY_COUNT ? libraries[index].name : NULL; }

// A library is opened when it is first asked for: most states use one or two, and all of them are most of a small state.
int clg_push_library(lua_State *L, const char *name) {
  for (int i = 0; i < LIBRARY_COUNT; i++) {
    if (strcmp(libraries[i].name, name) != 0) continue;
    clg_push_real_globals(L);
    lua_pushstring(L, name);
    if (lua_rawget(L, -2) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_pushstring(L, name);
      libraries[i].push(L);
      clg_make_read_only(L, name);
      lua_pushvalue(L, -1);
      lua_insert(L, -3);
      lua_rawset(L, -4);
    }
    lua_remove(L, -2);
    return 1;
  }
  return 0;
}

// ---------------------------------------------------------------------------------------------- opening
int clg_open_sandbox(lua_State *L) {
  luaopen_base(L); // pushes the state's globals, the real ones
  static const char *const base_out[] = {"load", "loadfile", "dofile", "loadstring", "collectgarbage", "warn", "print", "_G", NULL};
  for (const char *const *name = base_out; *name; name++) remove_field(L, *name);
  static const luaL_Reg guarded[] = {
    {"setmetatable", guarded_setmetatable}, {"rawset", guarded_rawset}, {"tostring", guarded_tostring}, {NULL, NULL},
  };
  luaL_setfuncs(L, guarded, 0);
  clg_open_protected_calls(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &real_key);

  // Every chunk's _ENV: an empty table in front of the real one, so that a write to an existing name is refused too.
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, -3);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, refuse_global);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "_G");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &sealed_key);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, undefined_global);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  clg_push_library(L, "string"); // at once: strings have its functions as methods
  lua_pop(L, 2);
  return 0;
}
