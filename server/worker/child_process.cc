#include "server/worker/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/printable.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMilliseconds = 20;
constexpr size_t kKeptBytes = 4096;
constexpr size_t kLineBytes = 500;

struct Running {
  pid_t pid;
  int errors;  // read end of its stderr
};

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& s : strings) {
    pointers.push_back(const_cast<char*>(s.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

int Spawn(const ChildProcess& child, int errors, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, child.input.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&files, errors, 2);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  // The caller may block or ignore signals; the child starts afresh.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = posix_spawn(&pid, child.arguments.front().c_str(), &files,
                                &attributes, Pointers(child.arguments).data(),
                                Pointers(child.environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

absl::StatusOr<Running> Start(const ChildProcess& child) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return absl::ResourceExhaustedError(
        absl::StrCat("pipe: ", std::strerror(errno)));
  }
  Running running{.pid = -1, .errors = ends[0]};
  const int error = Spawn(child, ends[1], running.pid);
  close(ends[1]);
  if (error == 0) return running;
  close(ends[0]);
  return absl::NotFoundError(
      absl::StrCat(child.arguments.front(), ": ", std::strerror(error)));
}

// Waits a poll's time for something to read, keeps the last of it, and returns
// whether there was anything.
bool ReadSome(int descriptor, int milliseconds, std::string& kept) {
  pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, milliseconds) <= 0) return false;
  std::array<char, kKeptBytes> piece{};
  const ssize_t size = read(descriptor, piece.data(), piece.size());
  if (size <= 0) return false;
  kept.append(piece.data(), static_cast<size_t>(size));
  if (kept.size() > kKeptBytes) kept.erase(0, kept.size() - kKeptBytes);
  return true;
}

std::string LastLine(std::string text) {
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  const size_t start = text.find_last_of('\n');
  if (start != std::string::npos) text.erase(0, start + 1);
  if (text.size() > kLineBytes) text.resize(kLineBytes);
  return text.empty() ? text : absl::StrCat(": ", PrintableLine(text));
}

absl::Status StatusOfEnd(int end, const std::string& errors) {
  if (WIFEXITED(end) && WEXITSTATUS(end) == 0) return absl::OkStatus();
  if (WIFEXITED(end) && WEXITSTATUS(end) == EX_TEMPFAIL) {
    return absl::UnavailableError(
        absl::StrCat("cannot do it now", LastLine(errors)));
  }
  if (WIFEXITED(end)) {
    return absl::FailedPreconditionError(
        absl::StrCat("exit status ", WEXITSTATUS(end), LastLine(errors)));
  }
  if (WTERMSIG(end) == SIGXCPU) {
    return absl::ResourceExhaustedError("more processor time than allowed");
  }
  return absl::FailedPreconditionError(
      absl::StrCat("killed by signal ", WTERMSIG(end), LastLine(errors)));
}

// OK while the child may go on.
absl::Status MayGoOn(const ChildProcess& child, Clock::time_point begin) {
  if (child.cancelled && child.cancelled()) {
    return absl::CancelledError("cancelled");
  }
  if (absl::FromChrono(Clock::now() - begin) >= child.timeout) {
    return absl::DeadlineExceededError(
        absl::StrCat("not done after ", absl::FormatDuration(child.timeout)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunToEnd(const ChildProcess& child) {
  MOEPROBE_ASSIGN_OR_RETURN(const Running running, Start(child));
  const absl::Cleanup close_pipe = [&] { close(running.errors); };
  const Clock::time_point begin = Clock::now();
  std::string errors;
  int end = 0;
  while (waitpid(running.pid, &end, WNOHANG) == 0) {
    const absl::Status status = MayGoOn(child, begin);
    if (!status.ok()) {
      kill(running.pid, SIGKILL);
      waitpid(running.pid, &end, 0);
      return status;
    }
    if (!ReadSome(running.errors, kPollMilliseconds, errors)) {
      absl::SleepFor(absl::Milliseconds(1));  // its stderr may be closed
    }
  }
  while (ReadSome(running.errors, 0, errors)) {
  }
  return StatusOfEnd(end, errors);
}

}  // namespace moeprobe
