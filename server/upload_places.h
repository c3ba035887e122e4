#ifndef MOEPROBE_SERVER_UPLOAD_PLACES_H_
#define MOEPROBE_SERVER_UPLOAD_PLACES_H_

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"

namespace moeprobe {

// How many uploads are under way. Each holds a thread and some messages of up
// to 4 MiB for as long as its client likes, so there is an end to them, in all
// and for each user; what is left is for other calls. Thread-safe.
class UploadPlaces {
 public:
  static constexpr int kMax = 64;
  static constexpr int kMaxPerUser = 16;

  // A place among them, from Take() on.
  class Place {
   public:
    Place(Place&& other) noexcept;
    ~Place();

   private:
    friend class UploadPlaces;
    Place(UploadPlaces* places, std::string user);

    UploadPlaces* places_;
    std::string user_;
  };

  // ResourceExhausted if all are taken. The object must outlive what it
  // returns.
  absl::StatusOr<Place> Take(const std::string& user);

 private:
  void GiveBack(const std::string& user);

  Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, int> by_user_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_UPLOAD_PLACES_H_
