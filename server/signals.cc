#include "server/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace moeprobe {
namespace {

// The pipe that leads from the handler to the waiting thread: a handler sees
// nothing but globals.
std::array<int, 2> signal_pipe = {-1, -1};

void OnSignal(int signal) {
  const int saved_errno = errno;
  const auto number = static_cast<unsigned char>(signal);
  // A full pipe is as good: somebody has yet to read it.
  [[maybe_unused]] const auto written = write(signal_pipe[1], &number, 1);
  errno = saved_errno;
}

// Whichever comes next ends the program.
void OnStop(int signal) {
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  OnSignal(signal);
}

}  // namespace

bool CatchSignals() {
  if (pipe2(signal_pipe.data(), O_CLOEXEC) != 0) return false;
  struct sigaction action{};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  if (sigaction(SIGHUP, &action, nullptr) != 0) return false;
  action.sa_handler = OnStop;
  return sigaction(SIGTERM, &action, nullptr) == 0 &&
         sigaction(SIGINT, &action, nullptr) == 0;
}

int WaitForSignal() {
  // TSan keeps signals from a thread that waits in read(), but not in poll().
  pollfd waiting{.fd = signal_pipe[0], .events = POLLIN, .revents = 0};
  while (poll(&waiting, 1, /*timeout=*/-1) < 0 && errno == EINTR) {
  }
  unsigned char number = 0;
  while (read(signal_pipe[0], &number, 1) < 0 && errno == EINTR) {
  }
  return number;
}

}  // namespace moeprobe
