#include "client/commands/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>
#include <utility>

namespace moeprobe {
namespace {

constexpr int kInterruptedStatus = 130;

}  // namespace

Interrupt::Interrupt(std::function<void()> on_interrupt)
    : on_interrupt_(std::move(on_interrupt)) {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  thread_ = std::thread([this] { Listen(); });
}

Interrupt::~Interrupt() {
  stopping_ = true;
  pthread_kill(thread_.native_handle(), SIGINT);
  thread_.join();
}

void Interrupt::Listen() {
  bool seen = false;
  int signal = 0;
  while (sigwait(&signals_, &signal) == 0 && !stopping_) {
    if (seen) _exit(kInterruptedStatus);
    seen = true;
    on_interrupt_();
  }
}

}  // namespace moeprobe
