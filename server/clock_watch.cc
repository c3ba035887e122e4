#include "server/clock_watch.h"

#include <chrono>

#include "absl/time/time.h"

namespace moeprobe {

bool ClockWatch::IsQuietFor(absl::Duration quiet) {
  const auto now = steady_();
  const absl::Duration offset =
      (wall_() - absl::UnixEpoch()) - absl::FromChrono(now.time_since_epoch());
  if (offset_ && absl::AbsDuration(offset - *offset_) > kTolerance) {
    last_jump_ = now;
  }
  offset_ = offset;
  return !last_jump_ || absl::FromChrono(now - *last_jump_) >= quiet;
}

}  // namespace moeprobe
