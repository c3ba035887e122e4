#ifndef MOEPROBE_STORAGE_SHARE_STORE_H_
#define MOEPROBE_STORAGE_SHARE_STORE_H_

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "storage/database.h"
#include "storage/share_rows.h"

namespace moeprobe {

// The shares of users. AttemptStore charges them, JobQueue goes by them.
// Thread-safe.
class ShareStore {
 public:
  // `database` must outlive the store.
  explicit ShareStore(Database* database,
                      std::function<absl::Time()> clock = absl::Now)
      : database_(database), clock_(std::move(clock)) {}

  // Says what a user may have, whether they are known or not. `weight` is
  // above 0.
  absl::Status SetWeight(const std::string& owner, double weight);

  // Returns the shares as they are now, but for those of users who had nothing
  // and whose weight nobody said.
  absl::StatusOr<std::map<std::string, Share>> All();

 private:
  Database* database_;
  std::function<absl::Time()> clock_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_SHARE_STORE_H_
