// Statements about cached matrices; each runs inside the caller's transaction.

#ifndef MOEPROBE_STORAGE_MATRIX_ROWS_H_
#define MOEPROBE_STORAGE_MATRIX_ROWS_H_

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <string>
#include <vector>

#include "storage/published_layer.h"

namespace moeprobe {

// Adds a group to the cache, with its warnings, unless its key is there.
void InsertCacheEntry(SQLite::Database& database, const PublishedGroup& group,
                      const std::vector<std::string>& warnings);

// Columns that ReadArray takes, first in a query.
inline constexpr const char* kArrayColumns =
    "name, probe, data_type, shape, sha256, size_bytes, summary_count, "
    "summary_mean, summary_deviation";

// Returns the array in the current row.
StoredArray ReadArray(const SQLite::Statement& query);

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_MATRIX_ROWS_H_
