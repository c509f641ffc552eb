#pragma once

#include <stddef.h>

// What a thread is to Chainrun: which loop it serves, its name and its priority; and what memory it leaves behind.
//
// The loop is kept in a thread-local behind functions that are never inlined. Swift's async code must not ask
// pthread_self() or an inlined thread-local: the optimiser may read it before a suspension and use the value after
// it, on another thread.

/// The token that the calling thread set with `clt_loop_enter`, or NULL. Any thread.
const void *clt_loop_current(void);

/// Sets the calling thread's token and returns the former one. Any thread.
const void *clt_loop_enter(const void *token);

/// Names the calling thread; Linux shows the first 15 bytes. Any thread.
void clt_thread_name(const char *name);

/// Lowers the calling thread's priority where the system has one for each thread. Any thread.
void clt_thread_lower_priority(void);

/// Lets blocks of a megabyte and more go back to the system when they are freed, whatever was freed before. By itself
/// glibc raises that bound with each large block that is freed, and its heaps, one for each of several threads, then keep
/// up to 64 MB each. For the whole process, once, before it has threads; elsewhere it does nothing.
void clt_process_returns_memory(void);

/// What has been allocated and not freed, in bytes: without what the allocator keeps of freed memory. 0 where the system does
/// not tell. Any thread; it looks at each heap, so seldom.
size_t clt_process_bytes_in_use(void);
