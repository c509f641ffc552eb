// Runs a file of Lua's own tests in the sandbox, as a run that a watchdog slices every millisecond.
//   runner PRELUDE FILE
#include "CLuaGuard.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    perror(path);
    exit(2);
  }
  fseek(file, 0, SEEK_END);
  *length = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*length + 1);
  if (fread(bytes, 1, *length, file) != *length) exit(2);
  fclose(file);
  return bytes;
}

static char environment_key;

static int with_environment(lua_State *L, int status, int environment) {
  if (status != LUA_OK) {
    luaL_pushfail(L);
    lua_insert(L, -2);
    return 2;
  }
  if (environment)
    lua_pushvalue(L, environment);
  else
    lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
  if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
  return 1;
}

// The sandbox has no `load`; the tests cannot do without.
static const char *next_piece(lua_State *L, void *unused, size_t *length) {
  (void)unused;
  luaL_checkstack(L, 2, "too many nested functions");
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    *length = 0;
    return NULL;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "reader function must return a string");
  lua_replace(L, 5); // keep it
  return lua_tolstring(L, 5, length);
}

static int load_for_tests(lua_State *L) {
  size_t length;
  int environment = lua_isnone(L, 4) ? 0 : 4;
  const char *mode = luaL_optstring(L, 3, "bt");
  if (lua_type(L, 1) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, 1, &length);
    return with_environment(L, luaL_loadbufferx(L, text, length, luaL_optstring(L, 2, text), mode), environment);
  }
  luaL_checktype(L, 1, LUA_TFUNCTION);
  const char *name = luaL_optstring(L, 2, "=(load)");
  lua_settop(L, 5);
  return with_environment(L, lua_load(L, next_piece, NULL, name, mode), environment);
}

static int collect_for_tests(lua_State *L) { // the tests ask for collections; what a script sees of them is not ours
  const char *what = luaL_optstring(L, 1, "collect");
  if (strcmp(what, "count") == 0) {
    lua_pushnumber(L, (lua_Number)clg_state_of(L)->memory.used / 1024);
    return 1;
  }
  if (strcmp(what, "isrunning") == 0) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (strcmp(what, "generational") == 0 || strcmp(what, "incremental") == 0) {
    lua_pushliteral(L, "incremental");
    return 1;
  }
  lua_pushinteger(L, lua_gc(L, LUA_GCCOLLECT));
  return 1;
}

static int read_for_tests(lua_State *L) {
  size_t length;
  char *bytes = read_file(luaL_checkstring(L, 1), &length);
  lua_pushlstring(L, bytes, length);
  free(bytes);
  return 1;
}

static int print_for_tests(lua_State *L) {
  (void)L;
  return 0;
}

// Leaves the environment of the tests: a writable table that sees what the sandbox offers.
static int prepare(lua_State *L) {
  clg_open_sandbox(L);
  lua_settop(L, 0);
  lua_newtable(L);
  for (int i = 0; clg_library_name(i); i++) clg_push_library(L, clg_library_name(i)); // opens all of them
  lua_settop(L, 1);
  clg_push_real_globals(L);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 1);
  }
  static const luaL_Reg extra[] = {
    {"load", load_for_tests}, {"collectgarbage", collect_for_tests}, {"read_file", read_for_tests}, {"print", print_for_tests}, {NULL, NULL},
  };
  lua_settop(L, 1);
  luaL_setfuncs(L, extra, 0);
  luaopen_debug(L); // to look at what ran, and for the files that left-out.txt names
  lua_setfield(L, 1, "debug");
  luaopen_coroutine(L);
  lua_getfield(L, -1, "close");
  lua_setfield(L, 1, "stock_close");
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1); // it stays the sandbox's
  luaopen_string(L);
  lua_getfield(L, -1, "dump");
  lua_setfield(L, 1, "stock_dump");
  lua_pushvalue(L, -2);
  lua_setmetatable(L, -4);
  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  lua_setfield(L, 1, "_G");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
  return 0;
}

static int handler(lua_State *L, void *unused) {
  (void)unused;
  if (lua_type(L, 1) == LUA_TSTRING) luaL_traceback(L, L, lua_tostring(L, 1), 1);
  return 1;
}

static void run_file(clg_state *state, clg_watch *watch, const char *path) {
  size_t length;
  char *text = read_file(path, &length), name[256];
  snprintf(name, sizeof name, "@%s", strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
  lua_State *main = state->main, *L;
  state->memory.host++;
  L = lua_newthread(main);
  lua_pushcfunction(L, clg_body);
  clg_push_handler(L, handler, NULL);
  state->memory.host--;
  if (luaL_loadbufferx(L, text, length, name, "t")) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    exit(1);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
  lua_setupvalue(L, -2, 1);
  clg_run run = {.coroutine = L, .state = state, .deadline = UINT64_MAX, .cpu_left = 300000000000u};
  int arguments = 2, results, status;
  do {
    status = clg_resume(watch, &run, arguments, clg_now(), &results);
    arguments = 0;
  } while (status == LUA_YIELD && watch->why == CLG_SLICE);
  if (status != LUA_OK) {
    fprintf(stderr, "%s\n", lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "ended without a message");
    exit(1);
  }
  printf("%s: passed, %d slices\n", name + 1, run.slices);
  lua_pop(main, 1);
  free(text);
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  clg_state *state = clg_open((size_t)2 << 30);
  if (!state || clg_protected(state->main, prepare, NULL) != LUA_OK) return 2;
  clg_set_slice(1000000);
  static clg_watch watch;
  clg_attach(&watch);
  clg_turn_begins(&watch);
  run_file(state, &watch, arguments[1]);
  run_file(state, &watch, arguments[2]);
  clg_turn_ends(&watch);
  clg_detach(&watch);
  clg_close(state);
  return 0;
}
