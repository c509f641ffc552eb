#include "CLoopThread.h"

#include <pthread.h>
#include <string.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <pthread/qos.h>
#endif

static _Thread_local const void *current;

__attribute__((noinline)) const void *clt_loop_current(void) {
  __asm__ volatile("" ::: "memory"); // no caller may take two calls for one
  return current;
}

__attribute__((noinline)) const void *clt_loop_enter(const void *token) {
  const void *former = current;
  current = token;
  __asm__ volatile("" ::: "memory");
  return former;
}

void clt_thread_name(const char *name) {
#ifdef __linux__
  char shortened[16] = {0}; // the kernel refuses longer names
  strncpy(shortened, name, sizeof shortened - 1);
  pthread_setname_np(pthread_self(), shortened);
#else
  pthread_setname_np(name);
#endif
}

void clt_thread_lower_priority(void) {
#ifdef __linux__
  // Linux keeps a nice value for each thread, though POSIX says process.
  setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
#else
  pthread_set_qos_class_self_np(QOS_CLASS_UTILITY, 0);
#endif
}

void clt_process_returns_memory(void) {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}

size_t clt_process_bytes_in_use(void) {
#ifdef __GLIBC__
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#else
  return 0;
#endif
}
