#include "arena.h"
#include "charges.h"
#include "internal.h"
#include "threads.h"
#include <stdlib.h>
#include <string.h>

enum { STRING_LIMIT = 16 << 20, COROUTINE_LIMIT = 10000 };

// A new object that no script may have: a string that the hook could not stop the VM from working through.
static int is_refused(const clg_memory *memory, const void *block, size_t kind, size_t size) {
  return !block && kind == LUA_TSTRING && size > memory->string_limit + 64 && !memory->host; // 64: its header and zero
}

static void *new_block(clg_arena *arena, size_t size) {
  void *block = clg_arena_take(arena, size);
  return block ? block : malloc(size);
}

static void free_block(clg_arena *arena, void *block, size_t size) {
  if (block && clg_arena_owns(arena, block)) clg_arena_give(arena, block, size);
  else free(block);
}

static void *resized_block(clg_arena *arena, void *block, size_t old_size, size_t new_size) {
  if (!clg_arena_owns(arena, block)) return realloc(block, new_size);
  if (clg_arena_same_room(old_size, new_size)) return block;
  void *moved = new_block(arena, new_size);
  if (!moved) return new_size < old_size ? block : NULL; // Lua counts on it that a block can shrink
  memcpy(moved, block, old_size < new_size ? old_size : new_size);
  clg_arena_give(arena, block, old_size);
  return moved;
}

static void *refuse(clg_memory *memory, int long_string) {
  memory->long_string = long_string;
  return NULL;
}

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
  clg_memory *memory = context;
  size_t kind = old_size; // for a new block
  if (!block) old_size = 0;
  if (new_size == 0) {
    memory->used -= old_size;
    if (block) clg_forget_thread(memory->threads, block, old_size);
    free_block(memory->arena, block, old_size);
    return NULL;
  }
  if (new_size > old_size && memory->used - old_size + new_size > memory->limit) {
    if (!memory->host) return refuse(memory, 0);
    memory->over = 1;
  }
  if (is_refused(memory, block, kind, new_size)) return refuse(memory, 1);
  void *moved = block ? resized_block(memory->arena, block, old_size, new_size) : new_block(memory->arena, new_size);
  if (!moved) {
    if (memory->host) abort(); // the machine is out of memory and a Swift frame cannot be jumped over
    return refuse(memory, 0);
  }
  memory->used += new_size - old_size;
  if (memory->used > memory->peak) memory->peak = memory->used;
  if (!block && kind == LUA_TTHREAD && !memory->host && !clg_note_thread(memory->threads, moved, new_size)) {
    memory->used -= new_size;
    free_block(memory->arena, moved, new_size);
    return refuse(memory, 0);
  }
  return moved;
}

// Generational: what calls leave behind is young. In percent, by how much a state grows before the young are collected,
// and before all is. The figures are in docs/decisions/.
enum { YOUNG_GROWTH = 100, WHOLE_GROWTH = 300 };

// What opening makes stays: looking through it for garbage would be a good part of its cost. So the collector rests, and
// goes on when as much again has been made, or `least` bytes.
void clg_rest_collector(clg_state *state) { lua_gc(state->main, LUA_GCSTOP); }

void clg_wake_collector(clg_state *state, size_t least) {
  size_t bytes = state->memory.used > least ? state->memory.used : least;
  size_t kilobytes = bytes >> 10;
  lua_gc(state->main, LUA_GCRESTART);
  lua_gc(state->main, LUA_GCSTEP, -(int)(kilobytes < 1 << 20 ? kilobytes : 1 << 20)); // a step of less than nothing: a credit
}

static void release(clg_state *state) {
  if (state->memory.arena) clg_free_arena(state->memory.arena);
  if (state->memory.threads) clg_free_threads(state->memory.threads);
  if (state->memory.charges) clg_free_charges(state->memory.charges);
  free(state);
}

clg_state *clg_open(size_t limit) {
  clg_state *state = calloc(1, sizeof *state);
  if (!state) return NULL;
  state->memory.limit = limit;
  state->memory.string_limit = STRING_LIMIT;
  state->coroutine_limit = COROUTINE_LIMIT;
  state->memory.arena = clg_new_arena();
  state->memory.threads = clg_new_threads();
  state->memory.charges = clg_new_charges();
  if (!state->memory.arena || !state->memory.threads || !state->memory.charges) {
    release(state);
    return NULL;
  }
  state->memory.host = 1;
  state->main = lua_newstate(allocate, &state->memory);
  if (!state->main) {
    release(state);
    return NULL;
  }
  *clg_extra(state->main) = (uintptr_t)state;
  lua_gc(state->main, LUA_GCGEN, YOUNG_GROWTH, WHOLE_GROWTH);
  state->memory.host = 0;
  state->memory.over = 0;
  return state;
}

void clg_close(clg_state *state) {
  lua_close(state->main);
  release(state);
}

size_t clg_coroutines(const clg_state *state) { return clg_thread_count(state->memory.threads); }

clg_state *clg_state_of(lua_State *L) { return clg_state_inline(L); }

void clg_settle(lua_State *L, clg_memory *memory) {
  if (!memory->over) return;
  memory->over = 0;
  if (memory->used <= memory->limit) return;
  lua_gc(L, LUA_GCCOLLECT);
  if (memory->used > memory->limit) clg_no_memory(L);
}

int clg_no_memory(lua_State *L) {
  lua_newuserdatauv(L, clg_state_inline(L)->memory.limit, 0); // refused: raises LUA_ERRMEM
  return 0;
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
