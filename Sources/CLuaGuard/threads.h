// The coroutines of a state that scripts made, known by their address from when they are allocated until they are freed.
#pragma once
#include <stddef.h>

typedef struct clg_threads clg_threads;

clg_threads *clg_new_threads(void);
void clg_free_threads(clg_threads *threads);
int clg_note_thread(clg_threads *threads, void *block, size_t size);     // 0: no memory
void clg_forget_thread(clg_threads *threads, void *block, size_t size);  // of any block that is freed
size_t clg_thread_count(const clg_threads *threads);
