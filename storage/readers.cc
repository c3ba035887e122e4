#include "storage/readers.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "storage/connection.h"

namespace moeprobe {

absl::StatusOr<std::unique_ptr<Connection>> Readers::Take() {
  {
    const MutexLock lock(mutex_);
    while (lent_ == kMaxCount) given_back_.wait(mutex_);
    ++lent_;
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto opened = OpenToRead(file_);
  if (!opened.ok()) GiveBack(nullptr);
  return opened;
}

void Readers::GiveBack(std::unique_ptr<Connection> connection) {
  {
    const MutexLock lock(mutex_);
    --lent_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  given_back_.notify_one();
}

}  // namespace moeprobe
