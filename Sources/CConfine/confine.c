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

static pthread_mutex_t all_made = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_the_others(void *unused) {
  pthread_mutex_lock(&all_made);
  pthread_mutex_unlock(&all_made);
  return unused;
}

int ccf_try_threads(int count) {
  pthread_t threads[count];
  int made = 0, problem = 0;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 64 << 10);
  pthread_mutex_lock(&all_made);
  while (made < count && (problem = pthread_create(&threads[made], &small, wait_for_the_others, NULL)) == 0) made++;
  pthread_mutex_unlock(&all_made);
  pthread_attr_destroy(&small);
  while (made > 0) pthread_join(threads[--made], NULL);
  return problem;
}
