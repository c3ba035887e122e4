#ifndef MOEPROBE_STORAGE_ESTIMATE_STORE_H_
#define MOEPROBE_STORAGE_ESTIMATE_STORE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/database.h"

namespace moeprobe {

// How long jobs took in comparison with what was estimated, as a mean that
// forgets: each finished job counts half as much as all before it together.
// Thread-safe.
class EstimateStore {
 public:
  // `database` must outlive the store.
  explicit EstimateStore(Database* database) : database_(database) {}

  // Returns what estimates for jobs of this kind have to be multiplied by: 1
  // until one has finished.
  absl::StatusOr<double> Ratio(const std::string& kind);

  // Takes in the ratio of a finished job, measured by estimated.
  absl::Status Learn(const std::string& kind, double ratio);

 private:
  Database* database_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_ESTIMATE_STORE_H_
