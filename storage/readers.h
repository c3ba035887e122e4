#ifndef MOEPROBE_STORAGE_READERS_H_
#define MOEPROBE_STORAGE_READERS_H_

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "storage/connection.h"

namespace moeprobe {

// Connections that only read, so that nobody who reads waits for a change to
// reach the disk. Each is lent to one caller at a time. Thread-safe.
class Readers {
 public:
  // Connections at most.
  static constexpr int kMaxCount = 8;

  // The file has a connection that writes, which outlives the object.
  explicit Readers(std::filesystem::path file) : file_(std::move(file)) {}

  // Waits for a connection, which must be given back.
  absl::StatusOr<std::unique_ptr<Connection>> Take();

  // Null where it is of no use any more.
  void GiveBack(std::unique_ptr<Connection> connection);

 private:
  std::filesystem::path file_;
  Mutex mutex_;
  // Not std::counting_semaphore: with that of libstdc++ 12 a thread may, if
  // rarely, sleep on beside a count above 0 (GCC bug 98033).
  std::condition_variable_any given_back_;
  int lent_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Connection>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_READERS_H_
