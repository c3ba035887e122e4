#include "server/worker/run_stop.h"

#include "absl/status/status.h"
#include "core/base/mutex.h"

namespace moeprobe {

void RunStop::Note(const absl::Status& end) {
  if (!absl::IsCancelled(end) && !absl::IsAborted(end) &&
      !absl::IsUnavailable(end)) {
    return;
  }
  const MutexLock lock(mutex_);
  status_.Update(end);
}

absl::Status RunStop::status() const {
  absl::Status status = heartbeat_.status();
  if (heartbeat_.is_asked_back()) {
    status.Update(absl::CancelledError("given back"));
  }
  const MutexLock lock(mutex_);
  status.Update(status_);
  return status;
}

}  // namespace moeprobe
