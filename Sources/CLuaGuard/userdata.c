#include "charges.h"
#include "internal.h"

typedef struct clg_object {
  const clg_kind *kind;
  void *object;
  const void *charged;                      // what the state is charged for, or NULL
  size_t weight;                            // charged for this userdata alone
} clg_object;

void clg_discharge(clg_state *state, size_t bytes) {
  clg_memory *memory = &state->memory;
  memory->used -= bytes;
  memory->foreign -= bytes;
  if (memory->whole_foreign > memory->foreign) memory->whole_foreign = memory->foreign;
}

static void let_go(lua_State *L, clg_object *box) {
  void *object = box->object;
  if (!object) return;
  box->object = NULL;
  clg_state *state = clg_state_inline(L);
  clg_discharge(state, box->weight + (box->charged ? clg_drop_charge(state->memory.charges, box->charged) : 0));
  state->memory.used -= box->kind->own;
  box->kind->release(object);
}

// Scripts cannot reach it: the metatable is locked, and `debug` has no way around that.
static int collect_object(lua_State *L) {
  let_go(L, lua_touserdata(L, 1));
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

// The collector hears of foreign bytes in steps of this many.
enum { FOREIGN_STEP = 1 << 16, LEAST_ROOM = 1 << 20, LEAST_GROWTH = 16 << 20 };

// What outlives two steps is old, and only a look at everything frees it, which Lua begins by how its own memory has grown.
// So foreign bytes that steps do not free begin one, too: when they have doubled what is used, or taken half of what was
// free. Later is too late: the collection by which Lua answers a refused allocation runs no finalisers, and frees none.
static size_t foreign_room(const clg_memory *memory) {
  size_t room = memory->limit > memory->whole_used ? (memory->limit - memory->whole_used) / 2 : 0;
  size_t growth = memory->whole_used > LEAST_GROWTH ? memory->whole_used : LEAST_GROWTH;
  if (room > growth) room = growth;
  return room > LEAST_ROOM ? room : LEAST_ROOM;
}

static void tell_collector(lua_State *L, clg_memory *memory) {
  size_t kilobytes = memory->foreign_new >> 10;
  memory->foreign_new = 0;
  if (memory->foreign <= memory->whole_foreign + foreign_room(memory)) {
    lua_gc(L, LUA_GCSTEP, (int)(kilobytes < 1 << 20 ? kilobytes : 1 << 20));
    return;
  }
  lua_gc(L, LUA_GCCOLLECT);
  memory->whole_foreign = memory->foreign;
  memory->whole_used = memory->used;
}

void clg_charge_bytes(clg_state *state, size_t bytes) {
  clg_memory *memory = &state->memory;
  memory->used += bytes;
  memory->foreign += bytes;
  memory->foreign_new += bytes;
  if (memory->used > memory->peak) memory->peak = memory->used;
  if (memory->used > memory->limit) memory->over = 1;
  if (memory->foreign_new > FOREIGN_STEP) tell_collector(state->main, memory);
}

int clg_charge_shared(clg_state *state, const void *what, size_t bytes) {
  int noted;
  size_t added = clg_add_charge(state->memory.charges, what, bytes, &noted);
  if (noted) clg_charge_bytes(state, added);
  return noted;
}

void clg_discharge_shared(clg_state *state, const void *what) {
  clg_discharge(state, clg_drop_charge(state->memory.charges, what));
}

void clg_push_object(lua_State *L, const clg_kind *kind, void *object, const void *charged, size_t weight) {
  clg_object *box = lua_newuserdatauv(L, sizeof *box, 0);
  clg_state *state = clg_state_inline(L);
  int noted = 0;
  size_t added = weight ? clg_add_charge(state->memory.charges, charged, weight, &noted) : 0;
  *box = (clg_object){kind, object, noted ? charged : NULL, noted ? 0 : added};
  clg_push_kind(L, kind);
  lua_setmetatable(L, -2);
  state->memory.used += kind->own;
  clg_charge_bytes(state, added);
}

static clg_object *box_at(lua_State *L, int index, const clg_kind *kind) {
  if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, kind);
  int same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same ? lua_touserdata(L, index) : NULL;
}

void *clg_object_at(lua_State *L, int index, const clg_kind *kind) {
  clg_object *box = box_at(L, index, kind);
  return box ? box->object : NULL;
}

int clg_is_closed(lua_State *L, int index, const clg_kind *kind) {
  clg_object *box = box_at(L, index, kind);
  return box && !box->object;
}

void clg_close_object(lua_State *L, int index, const clg_kind *kind) {
  clg_object *box = box_at(L, index, kind);
  if (box) let_go(L, box);
}

static int index_object(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(3)) != LUA_TNIL) return 1;
    lua_pop(L, 1);
  }
  return clg_call_swift(L);
}

void clg_push_index(lua_State *L, clg_function function, void *context) {
  lua_pushlightuserdata(L, (void *)function);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, context);
  lua_insert(L, -2);
  lua_pushcclosure(L, index_object, 3);
}

static int call_with_chance(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(4));
  lua_call(L, 0, 1);
  return clg_call_swift(L);
}

void clg_push_with_chance(lua_State *L, clg_function function, void *context, int op, int operand) {
  lua_pushlightuserdata(L, (void *)function);
  lua_pushlightuserdata(L, context);
  lua_pushinteger(L, op | (lua_Integer)operand << 8);
  clg_push_library(L, "math");
  lua_getfield(L, -1, "random"); // the library is the host's own: nothing of a script's runs
  lua_remove(L, -2);
  lua_pushcclosure(L, call_with_chance, 4);
}

static char json_null, json_array;
void *clg_json_null(void) { return &json_null; }
const void *clg_json_array_key(void) { return &json_array; }
