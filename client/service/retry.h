#ifndef MOEPROBE_CLIENT_SERVICE_RETRY_H_
#define MOEPROBE_CLIENT_SERVICE_RETRY_H_

#include <chrono>

#include "absl/status/status.h"
#include "client/service/cancellation.h"

namespace moeprobe {

// Paces attempts at something that a server which restarts may answer later:
//
//   Retry retry(patience, cancellation);
//   do {
//     status = Call();
//   } while (retry.Again(status));
//
// Not thread-safe.
class Retry {
 public:
  // Gives up after `patience` without success.
  Retry(std::chrono::milliseconds patience, Cancellation& cancellation);

  // Whether to try once more, after a pause that doubles from 50 ms to 1 s:
  // only if `status` is Unavailable, patience lasts and nobody cancelled.
  bool Again(const absl::Status& status);

  // Starts patience afresh.
  void Restart();

 private:
  std::chrono::milliseconds patience_;
  Cancellation& cancellation_;
  std::chrono::steady_clock::time_point end_;
  std::chrono::milliseconds pause_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_SERVICE_RETRY_H_
