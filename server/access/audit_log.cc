#include "server/access/audit_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/file_descriptor.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

using Json = nlohmann::ordered_json;

// Of names that callers choose.
constexpr size_t kMostBytes = 200;

// For the owner alone, also where the file was made by somebody else.
// O_NONBLOCK: to open a FIFO must not wait for who reads it.
absl::StatusOr<FileDescriptor> OpenLog(const std::filesystem::path& path) {
  FileDescriptor file(
      open(path.c_str(),
           O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
           S_IRUSR | S_IWUSR));
  if (file.number() < 0 || fchmod(file.number(), S_IRUSR | S_IWUSR) != 0) {
    return absl::ErrnoToStatus(errno, "audit log " + path.native());
  }
  return file;
}

std::string LineOf(const AuditEntry& entry) {
  const Json json = {
      {"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::Now(),
                                absl::UTCTimeZone())},
      {"user", entry.user},
      {"proof", entry.proof},
      {"from", entry.from},
      {"method", entry.method},
      {"resource", entry.resource.substr(0, kMostBytes)},
      {"outcome", entry.outcome}};
  return json.dump(-1, ' ', /*ensure_ascii=*/true,
                   Json::error_handler_t::replace) +
         "\n";
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(
    std::filesystem::path file, OnFailure on_failure) {
  MOEPROBE_ASSIGN_OR_RETURN(FileDescriptor opened, OpenLog(file));
  return std::unique_ptr<AuditLog>(
      new AuditLog(std::move(file), std::move(on_failure), std::move(opened)));
}

absl::Status AuditLog::Append(const std::string& line) {
  const MutexLock lock(mutex_);
  const std::string bytes = is_torn_ ? "\n" + line : line;
  ssize_t written = 0;
  do {
    written = write(file_.number(), bytes.data(), bytes.size());
  } while (written < 0 && errno == EINTR);
  if (std::cmp_equal(written, bytes.size())) {
    is_torn_ = false;
    return absl::OkStatus();
  }
  if (written < 0) {
    return absl::ErrnoToStatus(errno, "audit log " + path_.native());
  }
  is_torn_ = is_torn_ || written > 0;
  return absl::ResourceExhaustedError("audit log " + path_.native() +
                                      ": a line was cut short");
}

void AuditLog::Write(const AuditEntry& entry) {
  const absl::Status status = Append(LineOf(entry));
  if (status.ok()) return;
  on_failure_(status, ++failure_count_);
}

absl::Status AuditLog::Reopen() {
  MOEPROBE_ASSIGN_OR_RETURN(FileDescriptor opened, OpenLog(path_));
  const MutexLock lock(mutex_);
  file_ = std::move(opened);
  is_torn_ = false;
  return absl::OkStatus();
}

}  // namespace moeprobe
