#include "storage/readers.h"

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "storage/connection.h"

namespace moeprobe {

absl::StatusOr<std::unique_ptr<Connection>> Readers::Take() {
  free_.acquire();
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Connection> connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  auto opened = OpenToRead(file_);
  if (!opened.ok()) free_.release();
  return opened;
}

void Readers::GiveBack(std::unique_ptr<Connection> connection) {
  if (connection != nullptr) {
    const MutexLock lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  free_.release();
}

}  // namespace moeprobe
