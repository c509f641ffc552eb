// The outer wall: what the system can take from a process for good. Nothing here can be undone.
#pragma once
#include <stdint.h>
#include <sys/types.h>

// What the filter of system calls lets through. Files are opened only while the graph is loaded.
typedef enum { CCF_WHILE_LOADING, CCF_WHILE_RUNNING } ccf_stage;

typedef enum { CCF_ADDRESS_SPACE, CCF_PROCESSES, CCF_FILES } ccf_resource;

// Each returns 0 or an errno.

// Denies, with EPERM and in every thread of the process, each system call that the stage does not need. A later filter
// can only deny more. ENOSYS where the system or this build has no such filter.
int ccf_filter(ccf_stage stage);

// No program that this thread, or one it makes, executes gets more rights than the process has.
int ccf_no_new_privileges(void);

// Lowers a limit, for this process and without a way back. A limit that is lower already stays.
int ccf_limit(ccf_resource resource, uint64_t most);

// Becomes another user, without further groups and without a way back. Needs root.
int ccf_become(uid_t user, gid_t group);

// Whether so many more threads can be there at once; count is at least 1.
int ccf_try_threads(int count);
