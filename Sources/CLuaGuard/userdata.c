#include "include/clg_userdata.h"
#include "internal.h"

typedef struct clg_object {
  const clg_kind *kind;
  void *object;
  size_t weight;
} clg_object;

// Scripts cannot reach it: the metatable is locked, and `debug` has no way around that.
static int collect_object(lua_State *L) {
  clg_object *box = lua_touserdata(L, 1);
  void *object = box->object;
  if (!object) return 0;
  box->object = NULL;
  clg_state_inline(L)->memory.used -= box->weight;
  box->kind->release(object);
  return 0;
}

int clg_push_kind(lua_State *L, const clg_kind *kind) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, kind) == LUA_TTABLE) return 0;
  lua_pop(L, 1);
  lua_createtable(L, 0, 6);
  lua_pushliteral(L, "__gc");
  lua_pushcfunction(L, collect_object);
  lua_rawset(L, -3);
  lua_pushliteral(L, "__metatable");
  lua_pushboolean(L, 0);
  lua_rawset(L, -3);
  lua_pushliteral(L, "__name");
  lua_pushstring(L, kind->name);
  lua_rawset(L, -3);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, kind);
  return 1;
}

void clg_push_object(lua_State *L, const clg_kind *kind, void *object, size_t weight) {
  clg_object *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->kind = kind;
  box->object = object;
  box->weight = weight;
  clg_push_kind(L, kind);
  lua_setmetatable(L, -2);
  clg_memory *memory = &clg_state_inline(L)->memory;
  memory->used += weight;
  if (memory->used > memory->peak) memory->peak = memory->used;
  if (memory->used > memory->limit) memory->over = 1;
  if (weight > 1 << 16) lua_gc(L, LUA_GCSTEP, (int)(weight >> 10 < 1 << 20 ? weight >> 10 : 1 << 20)); // foreign bytes drive the collector too
}

void *clg_object_at(lua_State *L, int index, const clg_kind *kind) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, kind);
  int same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  clg_object *box = same ? lua_touserdata(L, index) : NULL;
  return box ? box->object : NULL;
}

static char json_null, json_array;
void *clg_json_null(void) { return &json_null; }
const void *clg_json_array_key(void) { return &json_array; }
