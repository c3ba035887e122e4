#ifndef MOEPROBE_STORAGE_SQL_ERRORS_H_
#define MOEPROBE_STORAGE_SQL_ERRORS_H_

#include <SQLiteCpp/Exception.h>

#include "absl/status/status.h"

namespace moeprobe {

// Says what an error of SQLite means to a caller: ResourceExhausted for a full
// disk, DataLoss for a damaged file, Unavailable for one that is busy or fails
// to read or write, FailedPrecondition where a constraint of the schema
// refuses a change, Internal otherwise. The first and the third say when to try
// again (RetryDelayOf), by which they are told from a server that is gone.
absl::Status StatusOf(const SQLite::Exception& error);

// Returns what `body` returns, or the status of what SQLite threw from it.
template <typename Body>
auto CatchSqlErrors(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    return StatusOf(error);
  }
}

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_SQL_ERRORS_H_
