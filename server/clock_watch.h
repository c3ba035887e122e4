#ifndef MOEPROBE_SERVER_CLOCK_WATCH_H_
#define MOEPROBE_SERVER_CLOCK_WATCH_H_

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace moeprobe {

// Notices when the machine's time is set: it moves otherwise than the monotonic
// clock does. For one thread.
class ClockWatch {
 public:
  // What is no more than that is a correction, not a jump.
  static constexpr absl::Duration kTolerance = absl::Minutes(1);

  explicit ClockWatch(std::function<absl::Time()> wall = absl::Now,
                      std::function<std::chrono::steady_clock::time_point()>
                          steady = std::chrono::steady_clock::now)
      : wall_(std::move(wall)), steady_(std::move(steady)) {}

  // Returns whether the time has not been set for so long, since the first call
  // at most, as far as calls tell.
  bool IsQuietFor(absl::Duration quiet);

 private:
  std::function<absl::Time()> wall_;
  std::function<std::chrono::steady_clock::time_point()> steady_;
  // Wall time less monotonic time, when it was looked at last.
  std::optional<absl::Duration> offset_;
  std::optional<std::chrono::steady_clock::time_point> last_jump_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_CLOCK_WATCH_H_
