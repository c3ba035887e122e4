#include "server/worker_leases.h"

#include <chrono>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace moeprobe {
namespace {

constexpr std::chrono::milliseconds kInterval{250};

}  // namespace

WorkerLeases::WorkerLeases(Parts parts)
    : parts_(std::move(parts)), looking_(kInterval, [this] { Look(); }) {}

void WorkerLeases::Look() const {
  for (const int64_t worker : parts_.running->Workers()) {
    if (!parts_.pulse->IsSilent(worker, parts_.lease)) continue;
    parts_.on_expiry(
        worker, absl::StrCat("said nothing for ", parts_.lease.count(), " s"));
  }
  for (const int64_t worker : parts_.running->Stalled(parts_.stall)) {
    parts_.on_expiry(worker, absl::StrCat("got no further for ",
                                          parts_.stall.count(), " s"));
  }
  if (parts_.max_job_time.count() == 0) return;
  const absl::Duration most = absl::FromChrono(parts_.max_job_time);
  for (const auto& task : parts_.running->Overdue(most)) {
    parts_.on_overdue(*task);
  }
}

}  // namespace moeprobe
