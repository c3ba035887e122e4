#ifndef MOEPROBE_CLIENT_SERVICE_RETRY_H_
#define MOEPROBE_CLIENT_SERVICE_RETRY_H_

#include <grpcpp/channel.h>

#include <chrono>
#include <memory>

#include "absl/status/status.h"
#include "client/service/cancellation.h"

namespace moeprobe {

// Paces attempts at something that a server which restarts may answer later:
//
//   Retry retry(patience, cancellation, channel);
//   do {
//     status = Call();
//   } while (retry.Again(status));
//
// Not thread-safe.
class Retry {
 public:
  // Gives up after `patience` without success. `channel` is what is tried; it
  // may be null.
  Retry(std::chrono::milliseconds patience, Cancellation& cancellation,
        std::shared_ptr<grpc::Channel> channel);

  // Whether to try once more, after a pause that doubles from 50 ms to 1 s and
  // at most as long again for the channel to connect: only if `status` is
  // Unavailable, patience lasts and nobody cancelled.
  bool Again(const absl::Status& status);

  // Starts patience afresh.
  void Restart();

 private:
  void AwaitConnection();

  std::chrono::milliseconds patience_;
  Cancellation& cancellation_;
  std::shared_ptr<grpc::Channel> channel_;
  std::chrono::steady_clock::time_point end_;
  std::chrono::milliseconds pause_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_RETRY_H_
