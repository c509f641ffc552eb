// Where a state's small blocks come from first: one block of memory, cut front to back, with a list of free pieces for
// each size. It makes opening, closing and short-lived garbage cheap, and it packs: a piece has no header, since Lua says
// the size when it gives one back. What does not fit any more goes to malloc, so that a state which was large for a moment
// holds on to little.
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

// Under AddressSanitizer every block is malloc's, so that it sees each one.
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_IS_USED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_IS_USED 0
#endif
#endif
#ifndef ARENA_IS_USED
#define ARENA_IS_USED 1
#endif

// Twice what a chainlet's state holds when it has just been made. Pages that are never used cost nothing. Less than malloc
// maps on its own.
enum { ARENA_BYTES = 96 * 1024, USED_AT_ONCE = 32 * 1024, PAGE = 4096 };
// Lua aligns to eight bytes. The largest small block holds a coroutine's first stack.
enum { STEP = 8, LARGEST = 1024, SIZES = LARGEST / STEP + 1 };

typedef struct piece {
  struct piece *next;
} piece;

typedef struct clg_arena {
  char *next, *end;
  piece *free[SIZES]; // by size in steps
} clg_arena;

static size_t steps(size_t size) { return (size + STEP - 1) / STEP; }

static clg_arena *clg_new_arena(void) {
  clg_arena *arena = malloc(ARENA_BYTES);
  if (!arena) return NULL;
#ifdef MADV_POPULATE_WRITE
  // What a new state uses of it comes in one go and not page by page; where the kernel is too old for it nothing happens.
  uintptr_t first = ((uintptr_t)arena + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
  if (ARENA_IS_USED) madvise((void *)first, USED_AT_ONCE, MADV_POPULATE_WRITE);
#endif
  *arena = (clg_arena){.next = (char *)(arena + 1), .end = (char *)arena + ARENA_BYTES};
  return arena;
}

static void clg_free_arena(clg_arena *arena) { free(arena); }

// NULL when there is no room, or the block is not small.
static void *clg_arena_take(clg_arena *arena, size_t size) {
  if (!ARENA_IS_USED || size > LARGEST) return NULL;
  size_t count = steps(size);
  piece *free = arena->free[count];
  if (free) {
    arena->free[count] = free->next;
    return free;
  }
  if ((size_t)(arena->end - arena->next) < count * STEP) return NULL;
  void *block = arena->next;
  arena->next += count * STEP;
  return block;
}

static int clg_arena_owns(const clg_arena *arena, const void *block) {
  return (uintptr_t)block - (uintptr_t)arena < ARENA_BYTES;
}

static void clg_arena_give(clg_arena *arena, void *block, size_t size) {
  piece *free = block;
  free->next = arena->free[steps(size)];
  arena->free[steps(size)] = free;
}

// Whether a block of one size serves for the other.
static int clg_arena_same_room(size_t size, size_t other) { return steps(size) == steps(other); }
