#include "server/worker_leases.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kInterval{250};

std::string SaidNothingFor(std::chrono::seconds time) {
  return absl::StrCat("said nothing for ", time.count(), " s");
}

}  // namespace

WorkerLeases::WorkerLeases(Parts parts)
    : parts_(std::move(parts)), looking_(kInterval, [this] { Look(); }) {}

void WorkerLeases::Look() const {
  for (const auto& task : parts_.running->All()) {
    if (!parts_.pulse->IsSilent(task->worker, parts_.lease)) continue;
    parts_.on_expiry(*task, SaidNothingFor(parts_.lease));
  }
  for (const auto& task : parts_.running->Stalled(parts_.stall)) {
    parts_.on_expiry(
        *task, absl::StrCat("got no further for ", parts_.stall.count(), " s"));
  }
  LookAtIdleWorkers();
  if (parts_.max_job_time.count() == 0) return;
  const absl::Duration most = absl::FromChrono(parts_.max_job_time);
  for (const auto& task : parts_.running->Overdue(most)) {
    parts_.on_overdue(*task);
  }
}

// They ask for work every ten seconds, however short a lease is.
void WorkerLeases::LookAtIdleWorkers() const {
  const auto patience = std::max(parts_.lease, 2 * WorkerPulse::kPatience);
  for (const int64_t worker : parts_.pulse->Silent(patience)) {
    if (parts_.running->HeldBy(worker) != nullptr) continue;
    parts_.on_idle_silence(worker, SaidNothingFor(patience));
  }
}

}  // namespace moeprobe
