#include "client/service/retry.h"

#include <algorithm>
#include <chrono>

#include "absl/status/status.h"
#include "client/service/cancellation.h"

namespace moeprobe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{1000};

}  // namespace

Retry::Retry(milliseconds patience, Cancellation& cancellation)
    : patience_(patience), cancellation_(cancellation) {
  Restart();
}

bool Retry::Again(const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return false;
  if (steady_clock::now() + pause_ > end_) return false;
  cancellation_.Pause(pause_);
  pause_ = std::min(2 * pause_, kLongestPause);
  return !cancellation_.cancelled();
}

void Retry::Restart() {
  end_ = steady_clock::now() + patience_;
  pause_ = kFirstPause;
}

}  // namespace moeprobe
