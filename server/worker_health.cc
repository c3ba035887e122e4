#include "server/worker_health.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "server/listener.h"
#include "server/worker_pulse.h"

namespace moeprobe {
namespace {

constexpr const char* kService = "workers";
constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

WorkerHealth::WorkerHealth(const WorkerPulse* pulse, Listener* listener)
    : pulse_(pulse),
      listener_(listener),
      thread_([this](const std::stop_token& stop) { Run(stop); }) {}

void WorkerHealth::Run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    listener_->SetHealth(kService, pulse_->AnsweringCount() > 0);
    stopped.wait_for(lock, stop, kInterval, [] { return false; });
  }
}

}  // namespace moeprobe
