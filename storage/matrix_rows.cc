#include "storage/matrix_rows.h"

#include <SQLiteCpp/Column.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/npy.h"
#include "storage/connection.h"
#include "storage/published_layer.h"
#include "storage/statement.h"

namespace moeprobe {
namespace {

constexpr std::array<const char*, 3> kTypeNames = {"float64", "float32",
                                                   "int64"};

DataType TypeOf(const std::string& name) {
  size_t index = 0;
  while (kTypeNames[index] != name) ++index;
  return static_cast<DataType>(index);
}

std::vector<int64_t> ShapeOf(const std::string& text) {
  std::vector<int64_t> shape;
  for (const absl::string_view size :
       absl::StrSplit(text, ',', absl::SkipEmpty())) {
    shape.push_back(0);
    if (!absl::SimpleAtoi(size, &shape.back())) shape.pop_back();
  }
  return shape;
}

// SQLite has no NaN: it stands as NULL.
std::optional<double> Storable(double number) {
  return std::isnan(number) ? std::nullopt : std::optional(number);
}

double ReadNumber(const SQLite::Column& column) {
  return column.isNull() ? std::numeric_limits<double>::quiet_NaN()
                         : column.getDouble();
}

void InsertMatrix(Connection& database, int64_t entry, const NewArray& array) {
  const StoredArray& info = array.array;
  Statement insert =
      Query(database,
            "INSERT INTO matrix(entry, name, probe, data_type, shape, sha256, "
            "size_bytes, npy, summary_count, summary_mean, summary_deviation) "
            "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            entry, info.name, info.probe,
            kTypeNames[static_cast<size_t>(info.data_type)],
            absl::StrJoin(info.shape, ","), info.sha256, info.size_bytes);
  if (array.npy) insert.Bind(8, Blob{*array.npy});
  if (info.summary) {
    insert.Bind(9, info.summary->count);
    insert.Bind(10, Storable(info.summary->mean));
    insert.Bind(11, Storable(info.summary->deviation));
  }
  insert.exec();
}

}  // namespace

void InsertCacheEntry(Connection& database, const PublishedGroup& group,
                      const std::vector<std::string>& warnings,
                      absl::Time now) {
  const int inserted =
      Execute(database,
              "INSERT INTO cache_entry(key, create_time) VALUES(?1, ?2) "
              "ON CONFLICT(key) DO NOTHING",
              group.key, absl::ToUnixMicros(now));
  if (inserted == 0) return;
  const int64_t entry = database.getLastInsertRowid();
  for (const NewArray& array : group.arrays) {
    InsertMatrix(database, entry, array);
  }
  for (const std::string& warning : warnings) {
    Execute(database, "INSERT OR IGNORE INTO cache_warning VALUES(?1, ?2)",
            entry, warning);
  }
}

StoredArray ReadArray(const Statement& query) {
  StoredArray array;
  array.name = query.getColumn(0).getString();
  array.probe = query.getColumn(1).getString();
  array.data_type = TypeOf(query.getColumn(2).getString());
  array.shape = ShapeOf(query.getColumn(3).getString());
  array.sha256 = query.getColumn(4).getString();
  array.size_bytes = query.getColumn(5).getInt64();
  if (!query.getColumn(6).isNull()) {
    array.summary = ArraySummary{.mean = ReadNumber(query.getColumn(7)),
                                 .deviation = ReadNumber(query.getColumn(8)),
                                 .count = query.getColumn(6).getInt64()};
  }
  return array;
}

}  // namespace moeprobe
