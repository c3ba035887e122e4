#include "server/upload_places.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

void ExpectNone(UploadPlaces& places, const std::string& user,
                const std::string& says) {
  const absl::Status status = places.Take(user).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr(says));
}

TEST(UploadPlacesTest, LeavesPlacesToOtherUsers) {
  UploadPlaces places;
  std::vector<UploadPlaces::Place> taken;
  taken.reserve(UploadPlaces::kMax);
  for (int i = 0; i < UploadPlaces::kMaxPerUser; ++i) {
    taken.push_back(*places.Take("ann"));
  }
  ExpectNone(places, "ann",
             "16 uploads of ann are under way, the most at once; try again "
             "when one of them has ended");
  EXPECT_TRUE(places.Take("bob").ok());
  taken.pop_back();
  EXPECT_TRUE(places.Take("ann").ok());
}

TEST(UploadPlacesTest, EndsForAllUsersTogether) {
  UploadPlaces places;
  std::vector<UploadPlaces::Place> taken;
  taken.reserve(UploadPlaces::kMax);
  for (int i = 0; i < UploadPlaces::kMax; ++i) {
    taken.push_back(*places.Take(absl::StrCat("user", i)));
  }
  ExpectNone(places, "ann", "64 uploads of all users are under way");
  taken.clear();
  EXPECT_TRUE(places.Take("ann").ok());
}

}  // namespace
}  // namespace moeprobe
