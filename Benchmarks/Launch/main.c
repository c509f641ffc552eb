// Runs a program so many times, one after the other, and prints for each the milliseconds from start to exit and the
// most kilobytes that it had resident.
//   launch COUNT PROGRAM ARGUMENT…
// It is a program of its own because the system counts what the parent had resident at the time of the fork too.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double milliseconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int count, char **arguments) {
  if (count < 3) return 2;
  for (int i = atoi(arguments[1]); i > 0; i--) {
    double start = milliseconds_now();
    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
      int null = open("/dev/null", O_RDWR);
      dup2(null, STDIN_FILENO);
      dup2(null, STDOUT_FILENO);
      execv(arguments[2], arguments + 2);
      _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) return 1;
    printf("%.3f %ld\n", milliseconds_now() - start, usage.ru_maxrss);
    fflush(stdout);
  }
  return 0;
}
