#include "internal.h"
#include <stdlib.h>

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
  clg_memory *memory = context;
  if (!block) old_size = 0; // then it is the kind of object
  if (new_size == 0) {
    memory->used -= old_size;
    free(block);
    return NULL;
  }
  if (new_size > old_size && memory->used - old_size + new_size > memory->limit) {
    if (!memory->host) return NULL;
    memory->over = 1;
  }
  void *moved = realloc(block, new_size);
  if (!moved) {
    if (memory->host) abort(); // the machine is out of memory and a Swift frame cannot be jumped over
    return NULL;
  }
  memory->used += new_size - old_size;
  if (memory->used > memory->peak) memory->peak = memory->used;
  return moved;
}

clg_state *clg_open(size_t limit) {
  clg_state *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  state->memory.limit = limit;
  state->memory.host = 1;
  state->main = lua_newstate(allocate, &state->memory);
  if (!state->main) {
    free(state);
    return NULL;
  }
  *clg_extra(state->main) = (uintptr_t)state;
  state->memory.host = 0;
  state->memory.over = 0;
  return state;
}

void clg_close(clg_state *state) {
  lua_close(state->main);
  free(state);
}

clg_state *clg_state_of(lua_State *L) { return clg_state_inline(L); }

void clg_settle(lua_State *L, clg_memory *memory) {
  if (!memory->over) return;
  memory->over = 0;
  if (memory->used <= memory->limit) return;
  lua_gc(L, LUA_GCCOLLECT);
  if (memory->used > memory->limit) lua_newuserdatauv(L, memory->limit, 0); // refused: raises LUA_ERRMEM
}

static int settle_body(lua_State *L) {
  clg_memory *memory = &clg_state_inline(L)->memory;
  memory->over = 1;
  clg_settle(L, memory);
  return 0;
}

int clg_settle_protected(clg_state *state) {
  if (!state->memory.over) return 0;
  lua_State *L = state->main;
  // Pushing a light C function and the call need no allocation but, rarely, a stack; that is the host's.
  state->memory.host++;
  lua_checkstack(L, 4);
  state->memory.host--;
  lua_pushcfunction(L, settle_body);
  int status = lua_pcall(L, 0, 0, 0);
  if (status != LUA_OK) lua_pop(L, 1);
  return status;
}
