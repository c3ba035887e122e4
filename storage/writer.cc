#include "storage/writer.h"

#include <sqlite3.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/crash_point.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "storage/connection.h"
#include "storage/sql_errors.h"
#include "storage/statement.h"
#include "storage/transaction.h"

namespace moeprobe {
namespace {

// A part of a transaction that is undone unless it is kept. Its statements are
// prepared once; those of SQLite::Savepoint are so each time, which took a
// tenth of the time of a submission.
class Savepoint {
 public:
  explicit Savepoint(Connection& database) : database_(database) {
    Execute(database_, "SAVEPOINT change");
  }
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  ~Savepoint() {
    if (kept_ || !IsInTransaction(database_)) return;
    static_cast<void>(CatchSqlErrors([&]() -> absl::Status {
      Execute(database_, "ROLLBACK TO change");
      Execute(database_, "RELEASE change");
      return absl::OkStatus();
    }));
  }

  void Keep() {
    Execute(database_, "RELEASE change");
    kept_ = true;
  }

 private:
  Connection& database_;
  bool kept_ = false;
};

// Runs a change inside a transaction, so that it can be undone by itself. That
// costs a copy of every page that it changes.
absl::Status RunAlone(const Writer::Change& change, Connection& database) {
  return CatchSqlErrors([&] {
    Savepoint savepoint(database);
    absl::Status status = change(database);
    if (status.ok()) savepoint.Keep();
    return status;
  });
}

constexpr int kCheckpointPages = 1000;  // as SQLite does by itself

// Called after each commit, with how many pages the log has. One that is all in
// the database the next transaction may begin anew, and nobody else moves it
// there.
int Checkpoint(void* mark_is_due, sqlite3* database, const char* name,
               int page_count) {
  if (page_count < kCheckpointPages) return SQLITE_OK;
  *static_cast<bool*>(mark_is_due) = true;
  // What fails is tried again after the next commit.
  sqlite3_wal_checkpoint_v2(database, name, SQLITE_CHECKPOINT_PASSIVE, nullptr,
                            nullptr);
  return SQLITE_OK;
}

std::unique_ptr<Connection> Watched(std::unique_ptr<Connection> connection,
                                    bool* mark_is_due) {
  sqlite3_wal_hook(connection->getHandle(), Checkpoint, mark_is_due);
  return connection;
}

}  // namespace

// Not std::binary_semaphore, which gives the processor away four times before
// it sleeps, and a commit takes longer than that.
class Writer::Waiting {
 public:
  explicit Waiting(const Change& to_do) : change(to_do) {}

  void Answer() {
    const std::scoped_lock lock(mutex_);
    answered_ = true;
    // Under the lock: the waiter is gone as soon as it sees the answer.
    changed_.notify_one();
  }

  void Await() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return answered_; });
  }

  const Change& change;
  absl::Status status;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool answered_ = false;
};

Writer::Writer(std::filesystem::path file,
               std::unique_ptr<Connection> connection, Change mark)
    : file_(std::move(file)),
      mark_(std::move(mark)),
      connection_(Watched(std::move(connection), &mark_is_due_)),
      thread_([this] { Work(); }) {}

Writer::~Writer() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

absl::Status Writer::Run(const Change& change) {
  Waiting waiting(change);
  {
    const MutexLock lock(mutex_);
    queue_.push_back(&waiting);
    changed_.notify_one();
  }
  waiting.Await();
  return std::move(waiting.status);
}

size_t Writer::waiting_count() const {
  const MutexLock lock(mutex_);
  return queue_.size();
}

void Writer::Work() {
  while (true) {
    std::vector<Waiting*> group = NextGroup();
    if (group.empty()) return;
    CarryOut(group);
    for (Waiting* waiting : group) waiting->Answer();
  }
}

// Waits for changes; none once the writer stops.
std::vector<Writer::Waiting*> Writer::NextGroup() {
  const MutexLock lock(mutex_);
  while (queue_.empty() && !stopping_) changed_.wait(mutex_);
  const auto count =
      static_cast<std::ptrdiff_t>(std::min(queue_.size(), kMaxGroup));
  std::vector<Waiting*> group(queue_.begin(), queue_.begin() + count);
  queue_.erase(queue_.begin(), queue_.begin() + count);
  return group;
}

// A change that is refused must not take the others with it: they go again,
// each undone by itself, which is dearer. One that fails the transaction, say
// because the disk has no room for it, must not fail them either: then each has
// a transaction of its own.
void Writer::CarryOut(std::span<Waiting*> group) {
  const absl::Status status = Commit(group, Undo::kAll);
  if (status.ok()) return;
  if (group.size() == 1) {
    group[0]->status = status;
    return;
  }
  if (Commit(group, Undo::kTheChange).ok()) return;
  for (Waiting*& waiting : group) CarryOut({&waiting, 1});
}

// Returns OK if the transaction is on disk; what each change said is in its
// status.
absl::Status Writer::Commit(std::span<Waiting*> group, Undo undo) {
  MOEPROBE_RETURN_IF_ERROR(Renew());
  const bool was_due = mark_is_due_;
  const absl::Status status = CatchSqlErrors([&]() -> absl::Status {
    Transaction transaction(*connection_, Transaction::Kind::kWrite);
    if (mark_is_due_) MOEPROBE_RETURN_IF_ERROR(mark_(*connection_));
    MOEPROBE_RETURN_IF_ERROR(CarryOutAll(group, undo));
    CrashPoint("commit-due");
    mark_is_due_ = false;  // Checkpoint() says when it is again
    transaction.Commit();
    CrashPoint("commit-done-callers-waiting");
    return absl::OkStatus();
  });
  if (!status.ok()) mark_is_due_ = mark_is_due_ || was_due;
  // After a failed read or write nothing that the connection holds in memory
  // counts: the next change begins with another one.
  if (absl::IsUnavailable(status)) connection_.reset();
  return status;
}

// Returns OK if the transaction may be committed.
absl::Status Writer::CarryOutAll(std::span<Waiting*> group, Undo undo) {
  for (Waiting* waiting : group) {
    waiting->status = undo == Undo::kAll
                          ? waiting->change(*connection_)
                          : RunAlone(waiting->change, *connection_);
    if (waiting->status.ok()) continue;
    const bool is_undone = undo == Undo::kTheChange &&
                           IsInTransaction(*connection_) &&
                           !absl::IsUnavailable(waiting->status);
    if (!is_undone) return waiting->status;
  }
  return absl::OkStatus();
}

absl::Status Writer::Renew() {
  if (connection_ != nullptr) return absl::OkStatus();
  MOEPROBE_ASSIGN_OR_RETURN(auto connection, OpenToWrite(file_));
  connection_ = Watched(std::move(connection), &mark_is_due_);
  mark_is_due_ = true;
  return absl::OkStatus();
}

}  // namespace moeprobe
