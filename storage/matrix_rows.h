// Statements about cached matrices; each runs inside the caller's transaction.

#ifndef MOEPROBE_STORAGE_MATRIX_ROWS_H_
#define MOEPROBE_STORAGE_MATRIX_ROWS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "storage/connection.h"
#include "storage/published_layer.h"
#include "storage/statement.h"

namespace moeprobe {

// Adds a group to the cache, with its warnings, unless its key is there.
void InsertCacheEntry(Connection& database, const PublishedGroup& group,
                      const std::vector<std::string>& warnings, absl::Time now);

// Columns of matrix `m` that ReadArray takes, first in a query.
inline constexpr const char* kArrayColumns =
    "m.name, m.probe, m.data_type, m.shape, m.sha256, m.size_bytes, "
    "m.summary_count, m.summary_mean, m.summary_deviation";

// Returns the array in the current row.
StoredArray ReadArray(const Statement& query);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_MATRIX_ROWS_H_
