// The filter of system calls: a list of what is let through. What is not on it, a call that a later kernel brings
// included, fails with EPERM, and libraries go on as they do where a call is forbidden.
#include "CConfine.h"

#include <errno.h>

#if defined(__linux__) && __has_include(<seccomp.h>)
#include <asm/ioctls.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

// Names that an architecture has not are passed over.
static const char *const always[] = {
  // streams that are open already
  "read", "readv", "pread64", "write", "writev", "pwrite64", "close", "lseek", "ftruncate", "fstat", "fcntl", "dup", "dup2",
  "dup3", "pipe", "pipe2",
  // waiting
  "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
  "timerfd_create", "timerfd_settime", "timerfd_gettime", "nanosleep", "clock_nanosleep", "restart_syscall",
  // memory; executable memory has a rule of its own
  "munmap", "mremap", "madvise", "brk", "membarrier",
  // threads; clone has a rule of its own
  "futex", "futex_waitv", "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "gettid", "sched_yield",
  "sched_getaffinity", "getpriority", "setpriority", "exit", "exit_group",
  // signals to itself
  "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend", "sigaltstack",
  // clocks, chance, and what it is
  "clock_gettime", "clock_getres", "gettimeofday", "time", "getrandom", "getrusage", "times", "sysinfo", "uname", "getpid",
  "getppid", "getuid", "geteuid", "getgid", "getegid",
};

static const char *const while_loading[] = {
  "open", "openat", "stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
  "getdents64", "getcwd", "unlink", "unlinkat",
  "seccomp", // for the filter of the next stage
};

static int allow(scmp_filter_ctx filter, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int call = seccomp_syscall_resolve_name(names[i]);
    if (call == __NR_SCMP_ERROR || call < 0) continue;
    int problem = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    if (problem) return problem;
  }
  return 0;
}

// A call that is let through when one of its arguments fits.
static int allow_when(scmp_filter_ctx filter, int call, struct scmp_arg_cmp argument) {
  return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &argument);
}

static int allow_by_argument(scmp_filter_ctx filter) {
  const struct { int call; struct scmp_arg_cmp argument; } rules[] = {
    {SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
    {SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
    {SCMP_SYS(clone), SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD)}, // threads, no processes
    {SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())},
    {SCMP_SYS(prlimit64), SCMP_A2(SCMP_CMP_EQ, 0)}, // reading them
    {SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME)},
    {SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS)},
    {SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, TCGETS)}, // is it a terminal?
    {SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, TIOCGWINSZ)},
    {SCMP_SYS(newfstatat), SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH)}, // what glibc makes of fstat
  };
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
    int problem = allow_when(filter, rules[i].call, rules[i].argument);
    if (problem) return problem;
  }
  // Its flags lie in memory, where a filter cannot look; told that there is no such call, glibc uses clone.
  return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

int ccf_filter(ccf_stage stage) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (!filter) return ENOMEM;
  int problem = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
  if (!problem) problem = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1); // the kernel's own reason
  if (!problem) problem = allow(filter, always, sizeof always / sizeof *always);
  if (!problem) problem = allow_by_argument(filter);
  if (!problem && stage == CCF_WHILE_LOADING)
    problem = allow(filter, while_loading, sizeof while_loading / sizeof *while_loading);
  if (!problem) problem = seccomp_load(filter);
  seccomp_release(filter);
  return problem < 0 ? -problem : problem;
}
#else
int ccf_filter(ccf_stage stage) {
  (void)stage;
  return ENOSYS;
}
#endif
