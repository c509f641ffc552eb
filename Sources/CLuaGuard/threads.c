// A set of addresses, so that coroutines are counted where nothing can be forgotten: in the allocator. Lua says there
// what a new block is for, but not what a freed one was; only blocks of a coroutine's size are looked up.
#include "threads.h"
#include <stdint.h>
#include <stdlib.h>

struct clg_threads {
  void **slots;
  size_t capacity, count, size;
};

static size_t home(const clg_threads *threads, const void *block) {
  return (size_t)(((uintptr_t)block >> 4) * 11400714819323198485u >> 20) & (threads->capacity - 1);
}

clg_threads *clg_new_threads(void) { return calloc(1, sizeof(clg_threads)); }

void clg_free_threads(clg_threads *threads) {
  free(threads->slots);
  free(threads);
}

size_t clg_thread_count(const clg_threads *threads) { return threads->count; }

static void add(clg_threads *threads, void *block) {
  size_t i = home(threads, block);
  while (threads->slots[i]) i = (i + 1) & (threads->capacity - 1);
  threads->slots[i] = block;
}

static int grow(clg_threads *threads) {
  size_t old_capacity = threads->capacity, capacity = old_capacity ? old_capacity * 2 : 16;
  void **old = threads->slots, **slots = calloc(capacity, sizeof *slots);
  if (!slots) return 0;
  threads->slots = slots;
  threads->capacity = capacity;
  for (size_t i = 0; i < old_capacity; i++)
    if (old[i]) add(threads, old[i]);
  free(old);
  return 1;
}

int clg_note_thread(clg_threads *threads, void *block, size_t size) {
  if ((threads->count + 1) * 2 > threads->capacity && !grow(threads)) return 0;
  add(threads, block);
  threads->count++;
  threads->size = size;
  return 1;
}

void clg_forget_thread(clg_threads *threads, void *block, size_t size) {
  if (size != threads->size || threads->count == 0) return;
  size_t mask = threads->capacity - 1, i = home(threads, block);
  while (threads->slots[i] != block) {
    if (!threads->slots[i]) return; // another kind of object, of the same size
    i = (i + 1) & mask;
  }
  threads->count--;
  for (size_t next = (i + 1) & mask; threads->slots[next]; next = (next + 1) & mask) { // close the gap
    size_t from = home(threads, threads->slots[next]);
    if (((next - from) & mask) >= ((next - i) & mask)) {
      threads->slots[i] = threads->slots[next];
      i = next;
    }
  }
  threads->slots[i] = NULL;
}
