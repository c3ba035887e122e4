#ifndef MOEPROBE_STORAGE_PIN_STORE_H_
#define MOEPROBE_STORAGE_PIN_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "storage/database.h"

namespace moeprobe {

// A model that is to be kept in memory.
struct ModelPin {
  std::string model;
  std::string user;  // who pinned it
  absl::Time time;
};

// The models that are pinned. Every change is on disk before the call returns.
// Thread-safe.
class PinStore {
 public:
  // `database` must outlive the store.
  explicit PinStore(Database* database) : database_(database) {}

  // Takes the place of an earlier pin of the same model.
  absl::Status Put(const ModelPin& pin);

  // Idempotent.
  absl::Status Remove(const std::string& model);

  // Returns all pins, by model.
  absl::StatusOr<std::vector<ModelPin>> All();

 private:
  Database* database_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_PIN_STORE_H_
