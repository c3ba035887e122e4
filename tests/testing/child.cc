#include "tests/testing/child.h"

#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>

namespace moeprobe {

int WaitStatusOfChild(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid < 0) return -1;
  if (pid == 0) _exit(body());
  int status = -1;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

int ExitStatusOfChild(const std::function<int()>& body) {
  const int status = WaitStatusOfChild(body);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace moeprobe
