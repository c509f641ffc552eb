#include "charges.h"
#include <stdint.h>
#include <stdlib.h>

typedef struct charge {
  const void *what;
  size_t holders, weight;
} charge;

struct clg_charges {
  charge *slots;
  size_t capacity, count;
};

static size_t home(const clg_charges *charges, const void *what) {
  return (size_t)(((uintptr_t)what >> 4) * 11400714819323198485u >> 20) & (charges->capacity - 1);
}

clg_charges *clg_new_charges(void) { return calloc(1, sizeof(clg_charges)); }

void clg_free_charges(clg_charges *charges) {
  free(charges->slots);
  free(charges);
}

// The slot of `what`, or the empty one where it belongs.
static charge *slot(const clg_charges *charges, const void *what) {
  size_t i = home(charges, what);
  while (charges->slots[i].what && charges->slots[i].what != what) i = (i + 1) & (charges->capacity - 1);
  return &charges->slots[i];
}

static int grow(clg_charges *charges) {
  size_t old_capacity = charges->capacity, capacity = old_capacity ? old_capacity * 2 : 16;
  charge *old = charges->slots, *slots = calloc(capacity, sizeof *slots);
  if (!slots) return 0;
  charges->slots = slots;
  charges->capacity = capacity;
  for (size_t i = 0; i < old_capacity; i++)
    if (old[i].what) *slot(charges, old[i].what) = old[i];
  free(old);
  return 1;
}

size_t clg_add_charge(clg_charges *charges, const void *what, size_t weight, int *noted) {
  *noted = 0;
  if ((charges->count + 1) * 2 > charges->capacity && !grow(charges)) return weight;
  *noted = 1;
  charge *found = slot(charges, what);
  if (found->what) {
    found->holders++;
    return 0;
  }
  *found = (charge){what, 1, weight};
  charges->count++;
  return weight;
}

size_t clg_drop_charge(clg_charges *charges, const void *what) {
  if (charges->count == 0) return 0;
  charge *found = slot(charges, what);
  if (!found->what || --found->holders > 0) return 0;
  size_t weight = found->weight, mask = charges->capacity - 1;
  charges->count--;
  size_t gap = (size_t)(found - charges->slots);
  for (size_t next = (gap + 1) & mask; charges->slots[next].what; next = (next + 1) & mask) { // close the gap
    size_t from = home(charges, charges->slots[next].what);
    if (((next - from) & mask) >= ((next - gap) & mask)) {
      charges->slots[gap] = charges->slots[next];
      gap = next;
    }
  }
  charges->slots[gap].what = NULL;
  return weight;
}
