// What a state is charged for memory outside of Lua: once for each thing, however many userdata of it there are.
#pragma once
#include <stddef.h>

typedef struct clg_charges clg_charges;

clg_charges *clg_new_charges(void);
void clg_free_charges(clg_charges *charges);
// One more holder of `what`. The bytes that are new to the state: `weight`, or 0 when it is charged for it already.
// Without memory for the note it is charged again, and `*noted` is 0.
size_t clg_add_charge(clg_charges *charges, const void *what, size_t weight, int *noted);
// One holder less of what was noted. The bytes to be given back: 0 while others hold it.
size_t clg_drop_charge(clg_charges *charges, const void *what);
