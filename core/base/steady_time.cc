#include "core/base/steady_time.h"

#include <chrono>
#include <functional>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace moeprobe {

std::function<absl::Time()> SteadyTime() {
  using Clock = std::chrono::steady_clock;
  return [shown = absl::Now(), begin = Clock::now()] {
    return shown + absl::FromChrono(Clock::now() - begin);
  };
}

}  // namespace moeprobe
