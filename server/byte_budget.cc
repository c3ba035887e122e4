#include "server/byte_budget.h"

#include <cstdint>

#include "core/base/mutex.h"

namespace moeprobe {

ByteBudget::Share::Share(ByteBudget& budget, int64_t bytes)
    : budget_(budget), bytes_(bytes) {
  const MutexLock lock(budget_.mutex_);
  while (budget_.taken_ > 0 && budget_.taken_ + bytes_ > budget_.bytes_) {
    budget_.given_back_.wait(budget_.mutex_);
  }
  budget_.taken_ += bytes_;
}

ByteBudget::Share::~Share() {
  {
    const MutexLock lock(budget_.mutex_);
    budget_.taken_ -= bytes_;
  }
  budget_.given_back_.notify_all();
}

}  // namespace moeprobe
