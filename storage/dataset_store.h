#ifndef MOEPROBE_STORAGE_DATASET_STORE_H_
#define MOEPROBE_STORAGE_DATASET_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/database.h"

namespace moeprobe {

// A text or token ids; the bytes are in the blob store.
struct DatasetRow {
  int64_t id = 0;
  std::string sha256;
  bool is_text = false;  // otherwise token ids, a .npy
  std::string display_name;
  int64_t size_bytes = 0;
  absl::Time create_time;
};

// Which data sets there are. Thread-safe.
class DatasetStore {
 public:
  // `database` must outlive the store.
  explicit DatasetStore(Database* database) : database_(database) {}

  // Adds a data set, or gives one with the same digest its new display name.
  absl::Status Add(const DatasetRow& row);

  // Returns the data set with this digest, or NotFound.
  absl::StatusOr<DatasetRow> Get(const std::string& sha256);

  // Returns the newest data set with this display name, or NotFound.
  absl::StatusOr<DatasetRow> GetByDisplayName(const std::string& name);

  // Returns up to `limit` data sets with ids below `before`, newest first.
  absl::StatusOr<std::vector<DatasetRow>> List(int64_t before, int limit);

 private:
  Database* database_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DATASET_STORE_H_
