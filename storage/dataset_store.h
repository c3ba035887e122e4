#ifndef MOEPROBE_STORAGE_DATASET_STORE_H_
#define MOEPROBE_STORAGE_DATASET_STORE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "storage/access.h"
#include "storage/database.h"
#include "storage/limits.h"

namespace moeprobe {

// A text or token ids; the bytes are in the blob store.
struct DatasetRow {
  int64_t id = 0;
  Access access;
  std::string sha256;
  bool is_text = false;  // otherwise token ids, a .npy
  std::string display_name;
  int64_t size_bytes = 0;
  absl::Time create_time;
};

// Which data sets there are, as users see them: each user who uploaded one has
// it, under a name of their own. Of one that several have, a viewer sees their
// own, else the first that is for them. Thread-safe.
class DatasetStore {
 public:
  // `database` must outlive the store. `clock` says when data sets are added.
  explicit DatasetStore(Database* database, const Limits& limits = {},
                        std::function<absl::Time()> clock = absl::Now)
      : database_(database), limits_(limits), clock_(std::move(clock)) {}

  // Gives the data sets that nobody owns, those of before there were users, to
  // the user `owner`.
  absl::Status Adopt(const std::string& owner);

  // Adds a data set, or gives one that its owner has already its new display
  // name, visibility and readers. Errors as of CheckRoom().
  absl::Status Add(const DatasetRow& row);

  // ResourceExhausted if Add() would be more than the limits allow.
  absl::Status CheckRoom(const DatasetRow& row);

  // Returns the data set with this digest. NotFound if there is none that the
  // viewer may see.
  absl::StatusOr<DatasetRow> Get(const Viewer& viewer,
                                 const std::string& sha256);

  // Returns the viewer's newest data set with this display name, else the
  // newest they may see. NotFound as in Get().
  absl::StatusOr<DatasetRow> GetByDisplayName(const Viewer& viewer,
                                              const std::string& name);

  // Returns up to `limit` data sets that the viewer may see, each digest once,
  // with ids below `before`, newest first.
  absl::StatusOr<std::vector<DatasetRow>> List(const Viewer& viewer,
                                               int64_t before, int limit);

 private:
  Database* database_;
  Limits limits_;
  std::function<absl::Time()> clock_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_DATASET_STORE_H_
