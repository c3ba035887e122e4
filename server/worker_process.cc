#include "server/worker_process.h"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_descriptor.h"

namespace moeprobe {
namespace {

// What a child does between fork and exec: a process group of its own, no
// blocked or ignored signals, no files but the standard ones and its line.
class SpawnOptions {
 public:
  explicit SpawnOptions(const FileDescriptor& line) {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP |
                                               POSIX_SPAWN_SETSIGMASK |
                                               POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, line.number(),
                                     WorkerProcess::kLine);
    posix_spawn_file_actions_addclosefrom_np(&actions_,
                                             WorkerProcess::kLine + 1);
  }
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;

  const posix_spawnattr_t* attributes() const { return &attributes_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

// What a signal tells of a worker that nobody here has sent it to; "" where
// that is not known.
const char* MeaningOf(int signal) {
  switch (signal) {
    case SIGABRT:
      return " (it gave itself up, as where memory ran out)";
    case SIGBUS:
      return " (a file that it read was cut short, or its disk failed)";
    case SIGKILL:
      return " (by hand, or by the kernel for want of memory)";
    default:
      return "";
  }
}

}  // namespace

absl::StatusOr<WorkerProcess> WorkerProcess::Start(
    const std::vector<std::string>& command) {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> ends = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                 ends.data()) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  FileDescriptor line(ends[0]);
  const FileDescriptor its_line(ends[1]);
  const SpawnOptions options(its_line);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, arguments[0], options.actions(), options.attributes(),
                  arguments.data(), environ);
  if (error != 0) return absl::ErrnoToStatus(error, command[0]);
  FileDescriptor ended(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (ended.number() < 0) {
    absl::Status status = absl::ErrnoToStatus(errno, "pidfd_open");
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return status;
  }
  return WorkerProcess(pid, std::move(ended), std::move(line));
}

void WorkerProcess::Kill(int signal) const { kill(-pid_, signal); }

std::string WorkerProcess::Reap() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return absl::StrCat("was killed by signal ", signal, MeaningOf(signal));
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(status));
}

}  // namespace moeprobe
