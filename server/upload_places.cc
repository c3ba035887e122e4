#include "server/upload_places.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"

namespace moeprobe {
namespace {

absl::Status Refuse(int limit, const std::string& whose) {
  return absl::ResourceExhaustedError(
      absl::StrCat(limit, " uploads ", whose, " are under way, the most at ",
                   "once; try again when one of them has ended"));
}

}  // namespace

UploadPlaces::Place::Place(UploadPlaces* places, std::string user)
    : places_(places), user_(std::move(user)) {}

UploadPlaces::Place::Place(Place&& other) noexcept
    : places_(std::exchange(other.places_, nullptr)),
      user_(std::move(other.user_)) {}

UploadPlaces::Place::~Place() {
  if (places_ != nullptr) places_->GiveBack(user_);
}

absl::StatusOr<UploadPlaces::Place> UploadPlaces::Take(
    const std::string& user) {
  const MutexLock lock(mutex_);
  const auto own = by_user_.find(user);
  if (own != by_user_.end() && own->second == kMaxPerUser) {
    return Refuse(kMaxPerUser, absl::StrCat("of ", user));
  }
  if (count_ == kMax) return Refuse(kMax, "of all users");
  ++count_;
  ++by_user_[user];
  return Place(this, user);
}

void UploadPlaces::GiveBack(const std::string& user) {
  const MutexLock lock(mutex_);
  --count_;
  const auto own = by_user_.find(user);
  if (--own->second == 0) by_user_.erase(own);
}

}  // namespace moeprobe
