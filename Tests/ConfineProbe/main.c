// Puts itself behind the wall and prints what it can still do: `name: done`, or the reason why not.
//   confine-probe loading|running
#include <CConfine.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void report(const char *name, long result) {
  printf("%s: %s\n", name, result < 0 ? strerror(errno) : "done");
}

static void *try_from_thread(void *unused) {
  (void)unused;
  report("open in a thread", open("/dev/null", O_RDONLY));
  return NULL;
}

// One that was there before the wall.
static pthread_barrier_t wall;
static void *try_from_older_thread(void *unused) {
  (void)unused;
  pthread_barrier_wait(&wall);
  report("socket in an older thread", socket(AF_INET, SOCK_STREAM, 0));
  return NULL;
}

static int confine(int is_running) {
  int problem = ccf_no_new_privileges();
  if (!problem) problem = ccf_filter(CCF_WHILE_LOADING);
  if (!problem && is_running) problem = ccf_filter(CCF_WHILE_RUNNING);
  return problem;
}

static void try_files(void) {
  int reading = open("/dev/null", O_RDONLY);
  report("open for reading", reading);
  report("open for writing", open("/tmp/confine-probe-must-not-appear", O_WRONLY | O_CREAT | O_EXCL, 0600));
  unlink("/tmp/confine-probe-must-not-appear");
  report("openat2", syscall(437, AT_FDCWD, "/dev/null", (uint64_t[3]){0}, sizeof(uint64_t[3])));
  report("unlink", unlink("/tmp/confine-probe-is-not-there"));
  report("rename", rename("/tmp/confine-probe-is-not-there", "/tmp/confine-probe-other"));
  report("mkdir", mkdir("/tmp/confine-probe-must-not-appear", 0700));
  report("chmod", chmod("/dev/null", 0666));
  report("stat", stat("/dev/null", &(struct stat){0}));
  report("memfd_create", syscall(SYS_memfd_create, "probe", 0));
}

static void try_processes(void) {
  char *const words[] = {"/bin/true", NULL};
  report("execve", execve(words[0], words, NULL));
  report("execveat", syscall(SYS_execveat, AT_FDCWD, words[0], words, NULL, 0));
  pid_t child = fork();
  if (child == 0) _exit(0);
  report("fork", child);
  if (child > 0) waitpid(child, NULL, 0);
  report("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
  report("kill of another process", kill(getppid(), 0));
  report("a signal to another process", syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static void try_system(void) {
  report("socket", socket(AF_INET, SOCK_STREAM, 0));
  report("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}));
  report("executable memory", mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
  report("setuid", setuid(getuid()));
  report("another filter", syscall(SYS_seccomp, 1, 0, NULL));
  report("terminal input", syscall(SYS_ioctl, 0, 0x5412, "x"));
  report("an unknown call", syscall(100000));
}

static void try_what_a_run_needs(void) {
  pthread_t thread;
  report("thread", -pthread_create(&thread, NULL, try_from_thread, NULL));
  pthread_join(thread, NULL);
  void *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  report("memory", memory == MAP_FAILED ? -1 : munmap(memory, 1 << 20));
  int event = eventfd(0, EFD_NONBLOCK), poll = epoll_create1(0);
  report("eventfd", event);
  report("epoll", epoll_ctl(poll, EPOLL_CTL_ADD, event, &(struct epoll_event){.events = EPOLLIN}));
  report("clock", clock_gettime(CLOCK_REALTIME, &(struct timespec){0}));
  report("fstat", fstat(1, &(struct stat){0}));
  report("a signal to itself", pthread_kill(pthread_self(), 0) ? -1 : 0);
}

int main(int count, char **words) {
  if (count != 2) return 2;
  setvbuf(stdout, NULL, _IONBF, 0);
  pthread_t older;
  pthread_barrier_init(&wall, NULL, 2);
  pthread_create(&older, NULL, try_from_older_thread, NULL);
  errno = confine(strcmp(words[1], "running") == 0);
  report("wall", errno ? -1 : 0);
  pthread_barrier_wait(&wall);
  pthread_join(older, NULL);
  try_files();
  try_processes();
  try_system();
  try_what_a_run_needs();
  return 0;
}
