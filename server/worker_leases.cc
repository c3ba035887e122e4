#include "server/worker_leases.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

WorkerLeases::WorkerLeases(Parts parts)
    : parts_(std::move(parts)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void WorkerLeases::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    for (const int64_t worker : parts_.running->Workers()) {
      if (parts_.pulse->IsSilent(worker, parts_.lease)) {
        parts_.on_expiry(worker);
      }
    }
    stopped.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

}  // namespace moeprobe
