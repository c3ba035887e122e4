#include "server/repeated_call.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace moeprobe {

RepeatedCall::RepeatedCall(std::chrono::milliseconds pause,
                           std::function<void()> call)
    : pause_(pause),
      call_(std::move(call)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void RepeatedCall::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    call_();
    stopped.wait_for(lock, stop, pause_, [] { return false; });
  }
}

}  // namespace moeprobe
