#ifndef MOEPROBE_SERVER_BYTE_BUDGET_H_
#define MOEPROBE_SERVER_BYTE_BUDGET_H_

#include <condition_variable>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "core/base/mutex.h"

namespace moeprobe {

// Memory that calls share which need much of it for a moment: those that would
// not fit wait for others to end. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(int64_t bytes) : bytes_(bytes) {}

  // Bytes of the budget, given back at the end of a scope.
  class Share {
   public:
    // Waits until there is room, or until there is nobody else: what is larger
    // than the budget is alone. `budget` must outlive the object.
    Share(ByteBudget& budget, int64_t bytes);
    ~Share();
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

   private:
    ByteBudget& budget_;
    int64_t bytes_;
  };

 private:
  const int64_t bytes_;
  Mutex mutex_;
  std::condition_variable_any given_back_;
  int64_t taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_BYTE_BUDGET_H_
