#ifndef MOEPROBE_CLIENT_COMMANDS_INTERRUPT_H_
#define MOEPROBE_CLIENT_COMMANDS_INTERRUPT_H_

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

namespace moeprobe {

// Turns Ctrl-C and SIGTERM into a call; a second one ends the process at once
// with status 130. Create it before any other thread: those inherit that they
// leave these signals alone.
class Interrupt {
 public:
  // `on_interrupt` is called from a thread of its own.
  explicit Interrupt(std::function<void()> on_interrupt);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

 private:
  void Listen();

  std::function<void()> on_interrupt_;
  sigset_t signals_{};
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_INTERRUPT_H_
