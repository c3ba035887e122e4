#include "server/worker_health.h"

#include <chrono>
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
      telling_(kInterval, [this] { Tell(); }) {}

void WorkerHealth::Tell() const {
  const bool is_serving = pulse_->AnsweringCount() > 0;
  for (Listener* listener : listeners_) {
    listener->SetHealth(kService, is_serving);
  }
}

}  // namespace moeprobe
