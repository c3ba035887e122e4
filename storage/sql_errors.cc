#include "storage/sql_errors.h"

#include <SQLiteCpp/Exception.h>
#include <sqlite3.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/retry_delay.h"

namespace moeprobe {

absl::Status StatusOf(const SQLite::Exception& error) {
  const std::string message = absl::StrCat("database: ", error.what());
  switch (error.getErrorCode()) {
    case SQLITE_FULL:
      return WithRetryDelay(
          absl::ResourceExhaustedError(
              absl::StrCat(message, ": make room where the data directory is")),
          kDiskRetryDelay);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_READONLY:  // as a file system may be after its disk failed
      return WithRetryDelay(
          absl::UnavailableError(absl::StrCat(
              message, ": see to the disk where the data directory is")),
          kDiskRetryDelay);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return WithRetryDelay(absl::UnavailableError(message), kDiskRetryDelay);
    case SQLITE_CONSTRAINT:
      return absl::FailedPreconditionError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace moeprobe
