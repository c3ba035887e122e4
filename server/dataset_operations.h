#ifndef MOEPROBE_SERVER_DATASET_OPERATIONS_H_
#define MOEPROBE_SERVER_DATASET_OPERATIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "storage/blob_store.h"
#include "storage/dataset_store.h"

namespace moeprobe {

// What clients do with data sets; see DatasetService. Thread-safe.
class DatasetOperations {
 public:
  // Largest data set accepted.
  static constexpr int64_t kMaxBytes = int64_t{1} << 30;

  // Both must outlive the object.
  DatasetOperations(DatasetStore* datasets, const BlobStore* blobs)
      : datasets_(datasets), blobs_(blobs) {}

  // Stores what `read` delivers, message by message, until it returns false.
  absl::StatusOr<v1::Dataset> Upload(
      const std::function<bool(v1::UploadDatasetRequest*)>& read);

  absl::StatusOr<v1::Dataset> Get(const std::string& name);
  absl::StatusOr<v1::ListDatasetsResponse> List(
      const v1::ListDatasetsRequest& request);

 private:
  DatasetStore* datasets_;
  const BlobStore* blobs_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_DATASET_OPERATIONS_H_
