#ifndef MOEPROBE_SERVER_ACCESS_AUDIT_LOG_H_
#define MOEPROBE_SERVER_ACCESS_AUDIT_LOG_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"

namespace moeprobe {

// A call, as the audit log has it. No tokens and no texts of users.
struct AuditEntry {
  std::string user = {};      // empty: nobody who was let in
  std::string proof = {};     // how the server knew, NameOf(Proof); "none"
  std::string from = {};      // "uid 1000", "ipv4:192.0.2.7:50123"
  std::string method = {};    // "JobService/CancelJob"
  std::string resource = {};  // "jobs/17"; empty: none
  std::string outcome = {};   // "OK", "NOT_FOUND"
};

// Who did what: a file that only grows, of one line of JSON for each call,
// which the account of the server alone can read. A line is in the file, though
// perhaps not on the disk, when Write returns. Thread-safe.
class AuditLog {
 public:
  // Told of every line that could not be written, and the how many-th it is.
  using OnFailure = std::function<void(const absl::Status&, int64_t count)>;

  // Opens or makes `file`.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(
      std::filesystem::path file, OnFailure on_failure);

  // Adds a line, with the time.
  void Write(const AuditEntry& entry);

  // Goes on in a new file where the old one was moved away. Errors leave the
  // file as it is.
  absl::Status Reopen();

  // How many lines could not be written.
  int64_t failure_count() const { return failure_count_; }

 private:
  AuditLog(std::filesystem::path path, OnFailure on_failure,
           FileDescriptor file)
      : path_(std::move(path)),
        on_failure_(std::move(on_failure)),
        file_(std::move(file)) {}

  absl::Status Append(const std::string& line);

  const std::filesystem::path path_;
  const OnFailure on_failure_;
  std::atomic<int64_t> failure_count_ = 0;
  Mutex mutex_;
  FileDescriptor file_ ABSL_GUARDED_BY(mutex_);
  // A line that was cut short is ended by the next.
  bool is_torn_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ACCESS_AUDIT_LOG_H_
