#include "server/worker_health.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "server/listener.h"
#include "server/worker_pulse.h"

namespace moeprobe {
namespace {

constexpr const char* kService = "workers";
constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

WorkerHealth::WorkerHealth(const WorkerPulse* pulse,
                           std::vector<Listener*> listeners)
    : pulse_(pulse),
      listeners_(std::move(listeners)),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void WorkerHealth::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    const bool is_serving = pulse_->AnsweringCount() > 0;
    for (Listener* listener : listeners_) {
      listener->SetHealth(kService, is_serving);
    }
    stopped.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

}  // namespace moeprobe
