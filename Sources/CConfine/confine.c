#include "CConfine.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

int ccf_no_new_privileges(void) {
#ifdef __linux__
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
#else
  return ENOSYS;
#endif
}

int ccf_limit(ccf_resource resource, uint64_t most) {
  int number = resource == CCF_ADDRESS_SPACE ? RLIMIT_AS : resource == CCF_PROCESSES ? RLIMIT_NPROC : RLIMIT_NOFILE;
  struct rlimit limit;
  if (getrlimit(number, &limit) != 0) return errno;
  if (limit.rlim_max > most) limit.rlim_max = most;
  if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
  return setrlimit(number, &limit) == 0 ? 0 : errno;
}

int ccf_become(uid_t user, gid_t group) {
  if (setgroups(0, NULL) != 0) return errno;
#ifdef __linux__
  if (setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0) return errno;
#else
  if (setgid(group) != 0 || setuid(user) != 0) return errno;
#endif
  return user != 0 && setuid(0) == 0 ? EPERM : 0; // there must be no way back
}

static void *nothing(void *argument) { return argument; }

int ccf_try_thread(void) {
  pthread_t thread;
  int problem = pthread_create(&thread, NULL, nothing, NULL);
  return problem ? problem : pthread_join(thread, NULL);
}
