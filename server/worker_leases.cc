#include "server/worker_leases.h"

#include <chrono>
#include <cstdint>
#include <utility>

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

WorkerLeases::WorkerLeases(Parts parts)
    : parts_(std::move(parts)), looking_(kInterval, [this] { Look(); }) {}

void WorkerLeases::Look() const {
  for (const int64_t worker : parts_.running->Workers()) {
    if (parts_.pulse->IsSilent(worker, parts_.lease)) parts_.on_expiry(worker);
  }
}

}  // namespace moeprobe
