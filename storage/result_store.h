#ifndef MOEPROBE_STORAGE_RESULT_STORE_H_
#define MOEPROBE_STORAGE_RESULT_STORE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/blob_store.h"
#include "storage/database.h"
#include "storage/published_layer.h"

namespace moeprobe {

// An array of a job.
struct JobArray {
  int part = 0;
  std::string prefix;  // of the part
  int64_t layer = 0;   // -1: of the whole model
  StoredArray array;   // its name without the prefix
  // The .npy bytes of one or two numbers and of counts of components, which a
  // summary has whole; nullopt for others.
  std::optional<std::string> npy = {};
};

// Where the numbers of one part of a job come from.
struct PartProvenance {
  std::string prefix;
  std::string provenance;   // opaque; empty while it is not known
  std::string environment;  // of the run that filled the cache; opaque
};

// What jobs computed so far. Thread-safe.
class ResultStore {
 public:
  // Both must outlive the store.
  ResultStore(Database* database, const BlobStore* blobs)
      : database_(database), blobs_(blobs) {}

  // Returns every array of a job, by part, layer and name. No job, no arrays.
  absl::StatusOr<std::vector<JobArray>> Arrays(int64_t job);

  // Returns where the numbers come from, one entry for each part.
  absl::StatusOr<std::vector<PartProvenance>> Provenance(int64_t job);

  // Calls visit(piece) for the .npy bytes of `array` in order, as
  // BlobStore::ReadInPieces does. DataLoss, before the first piece, if they are
  // gone or damaged.
  absl::Status ReadNpy(int64_t job, const JobArray& array, PieceVisit visit);

 private:
  Database* database_;
  const BlobStore* blobs_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_RESULT_STORE_H_
