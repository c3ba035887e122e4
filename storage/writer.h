#ifndef MOEPROBE_STORAGE_WRITER_H_
#define MOEPROBE_STORAGE_WRITER_H_

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "storage/connection.h"

namespace moeprobe {

// The one thread that changes a database. A transaction costs a wait for the
// disk; changes that come meanwhile share the next one (group commit). Each of
// them happens wholly or not at all, whatever becomes of the others, and they
// happen in the order in which they came. Thread-safe.
class Writer {
 public:
  // A function that changes the database, or returns an error, which undoes
  // what it did. Where another change of its transaction is refused or the
  // transaction fails it is called again, twice at most: it changes nothing but
  // the database and what it is to return.
  using Change = std::function<absl::Status(Connection&)>;

  // Changes that share a transaction at most.
  static constexpr size_t kMaxGroup = 256;

  // `connection` is that of OpenToWrite to `file`. `mark` is part of the first
  // transaction of each write-ahead log.
  Writer(std::filesystem::path file, std::unique_ptr<Connection> connection,
         Change mark);

  // Carries out what waits. Nobody may call Run any more.
  ~Writer();

  // Returns once the change is on disk, or why it did not happen. Errors of
  // SQLite are those of StatusOf(SQLite::Exception).
  absl::Status Run(const Change& change);

  // Changes that wait; those that are being carried out do not.
  size_t waiting_count() const;

 private:
  // A change and who waits for it.
  class Waiting;

  // What is undone where a change of a transaction fails.
  enum class Undo : std::uint8_t { kAll, kTheChange };

  void Work();
  std::vector<Waiting*> NextGroup();
  void CarryOut(std::span<Waiting*> group);
  absl::Status Commit(std::span<Waiting*> group, Undo undo);
  absl::Status CarryOutAll(std::span<Waiting*> group, Undo undo);
  absl::Status Renew();

  std::filesystem::path file_;
  Change mark_;
  // Of the thread alone.
  bool mark_is_due_ = true;  // the next transaction may begin a log
  std::unique_ptr<Connection> connection_;
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Waiting*> queue_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_WRITER_H_
