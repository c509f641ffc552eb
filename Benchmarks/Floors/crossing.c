// One call across two states on one thread: the caller's coroutine yields its argument, which is copied to the callee's
// state, where a pooled coroutine runs the function; what that returns is copied back.
#include "clock.h"
#include "copy.h"
#include "floors.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lua_State *open_state(void) {
  lua_State *L = luaL_newstate();
  if (!L) abort();
  luaL_openlibs(L);
  return L;
}

static void check(lua_State *L, int ok) {
  if (ok) return;
  fprintf(stderr, "floor: %s\n", lua_tostring(L, -1));
  abort();
}

// A chunk that returns a function; the number finds it in the registry.
static int keep_function(lua_State *L, const char *chunk) {
  check(L, luaL_dostring(L, chunk) == LUA_OK);
  return luaL_ref(L, LUA_REGISTRYINDEX);
}

static const char *const greet = "return function(r) return 'Hello, ' .. r.name end";
static const char *const echo = "return function(r) return r end";

// `caller` is a chunk that yields its arguments for ever; `fields` is the number of fields of a record.
static double cross(const char *caller, const char *callee, int fields, int calls) {
  lua_State *A = open_state(), *B = open_state();
  int function = keep_function(B, callee), results;
  lua_State *runner = lua_newthread(A), *pooled = lua_newthread(B);
  check(runner, luaL_loadstring(runner, caller) == LUA_OK);
  check(runner, lua_resume(runner, A, 0, &results) == LUA_YIELD);
  double start = nanoseconds_now();
  for (int i = 0; i < calls; i++) {
    lua_rawgeti(pooled, LUA_REGISTRYINDEX, function);
    floor_copy(runner, -1, pooled, fields);
    lua_pop(runner, 1);
    check(pooled, lua_resume(pooled, B, 1, &results) == LUA_OK);
    floor_copy(pooled, -1, runner, fields);
    lua_pop(pooled, 1);
    check(runner, lua_resume(runner, A, 1, &results) == LUA_YIELD);
  }
  double spent = nanoseconds_now() - start;
  lua_close(A);
  lua_close(B);
  return spent / calls;
}

double floor_call(int calls) {
  return cross(
    "local n = 0 while true do n = n + 1 coroutine.yield { name = 'Ada', n = n, list = {1,2,3,4,5,6,7,8,9,10} } end",
    greet, 3, calls);
}

double floor_copy_string(const char *text, int calls) {
  char chunk[512];
  snprintf(chunk, sizeof chunk, "local text = ('%s'):rep(%d // %d) while true do coroutine.yield(text) end", text,
           1 << 20, (int)strlen(text));
  return cross(chunk, echo, 0, calls);
}

double floor_copy_list(int records, int calls) {
  char chunk[512];
  snprintf(chunk, sizeof chunk,
           "local list = {} for i = 1, %d do list[i] = { id = i, name = 'record ' .. i, score = i / 2 } end "
           "while true do coroutine.yield(list) end",
           records);
  return cross(chunk, echo, 3, calls);
}

// All callers yield their record before the first is answered; the answers are gathered in order.
double floor_fan_out(int width, int rounds) {
  lua_State *A = open_state(), *B = open_state();
  int results;
  int callee = keep_function(B, greet);
  int caller = keep_function(
    A, "local yield = coroutine.yield "
       "return function(i) return (yield { name = 'Ada', n = i, list = {1,2,3,4,5,6,7,8,9,10} }) end");
  lua_State **callers = calloc((size_t)width, sizeof *callers);
  if (!callers || !lua_checkstack(A, width + 10)) abort();
  for (int i = 0; i < width; i++) callers[i] = lua_newthread(A);
  lua_State *pooled = lua_newthread(B);
  double start = nanoseconds_now();
  for (int round = 0; round < rounds; round++) {
    lua_createtable(A, width, 0);
    int answers = lua_gettop(A);
    for (int i = 0; i < width; i++) {
      lua_rawgeti(callers[i], LUA_REGISTRYINDEX, caller);
      lua_pushinteger(callers[i], i);
      check(callers[i], lua_resume(callers[i], A, 1, &results) == LUA_YIELD);
    }
    for (int i = 0; i < width; i++) {
      lua_rawgeti(pooled, LUA_REGISTRYINDEX, callee);
      floor_copy(callers[i], -1, pooled, 3);
      check(pooled, lua_resume(pooled, B, 1, &results) == LUA_OK);
      lua_settop(callers[i], 0);
      floor_copy(pooled, -1, callers[i], 3);
      lua_settop(pooled, 0);
      check(callers[i], lua_resume(callers[i], A, 1, &results) == LUA_OK);
      lua_xmove(callers[i], A, 1);
      lua_rawseti(A, answers, i + 1);
    }
    lua_settop(A, answers - 1);
  }
  double spent = nanoseconds_now() - start;
  lua_close(A);
  lua_close(B);
  free(callers);
  return spent / ((double)width * rounds);
}
