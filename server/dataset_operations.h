#ifndef MOEPROBE_SERVER_DATASET_OPERATIONS_H_
#define MOEPROBE_SERVER_DATASET_OPERATIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "moeprobe/v1/access.pb.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "server/upload_places.h"
#include "storage/access.h"
#include "storage/blob_store.h"
#include "storage/dataset_store.h"

namespace moeprobe {

// What users do with data sets; see DatasetService. Thread-safe.
class DatasetOperations {
 public:
  // Largest data set accepted.
  static constexpr int64_t kMaxBytes = int64_t{1} << 30;

  // Both must outlive the object. `default_visibility`: of data sets that are
  // uploaded without one.
  DatasetOperations(DatasetStore* datasets, const BlobStore* blobs,
                    v1::Visibility default_visibility)
      : datasets_(datasets),
        blobs_(blobs),
        default_visibility_(default_visibility) {}

  // Stores what `read` delivers, message by message, until it returns false.
  // No more than a message of it is in memory at any time.
  absl::StatusOr<v1::Dataset> Upload(
      const Viewer& user,
      const std::function<bool(v1::UploadDatasetRequest*)>& read);

  absl::StatusOr<v1::Dataset> Get(const Viewer& user, const std::string& name);
  absl::StatusOr<v1::ListDatasetsResponse> List(
      const Viewer& user, const v1::ListDatasetsRequest& request);

 private:
  // Who may see what is announced. What the user has already stays as it is
  // unless they say otherwise.
  absl::StatusOr<Access> AccessOf(const Viewer& user,
                                  const v1::Dataset& announced);

  DatasetStore* datasets_;
  const BlobStore* blobs_;
  v1::Visibility default_visibility_;
  UploadPlaces uploads_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_DATASET_OPERATIONS_H_
