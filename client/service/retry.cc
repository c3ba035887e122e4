#include "client/service/retry.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "client/service/cancellation.h"

namespace moeprobe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr milliseconds kFirstPause{50};
constexpr milliseconds kLongestPause{1000};
constexpr milliseconds kSlice{50};  // the longest that cancelling may take

}  // namespace

Retry::Retry(milliseconds patience, Cancellation& cancellation,
             std::shared_ptr<grpc::Channel> channel)
    : patience_(patience),
      cancellation_(cancellation),
      channel_(std::move(channel)) {
  Restart();
}

bool Retry::Again(const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return false;
  if (steady_clock::now() + pause_ > end_) return false;
  cancellation_.Pause(pause_);
  AwaitConnection();
  pause_ = std::min(2 * pause_, kLongestPause);
  return !cancellation_.cancelled();
}

// gRPC hears a server's greeting only while somebody waits for it: a connection
// made during pauses would run into its deadline and be given up every time.
void Retry::AwaitConnection() {
  if (channel_ == nullptr) return;
  const auto end = steady_clock::now() + pause_;
  while (steady_clock::now() < end && !cancellation_.cancelled()) {
    if (channel_->WaitForConnected(system_clock::now() + kSlice)) return;
  }
}

void Retry::Restart() {
  end_ = steady_clock::now() + patience_;
  pause_ = kFirstPause;
}

}  // namespace moeprobe
