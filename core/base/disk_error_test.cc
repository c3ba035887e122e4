#include "core/base/disk_error.h"

#include <cerrno>
#include <optional>

#include "absl/status/status.h"
#include "core/base/retry_delay.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

TEST(DiskErrorTest, SaysThatThereIsRoomLater) {
  // NOLINTNEXTLINE(misc-include-cleaner): EDQUOT is in no header by this name
  for (const int error : {ENOSPC, EDQUOT}) {
    const absl::Status status = DiskError(error, "/data/blobs");
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
    EXPECT_EQ(RetryDelayOf(status), kDiskRetryDelay) << status;
  }
}

TEST(DiskErrorTest, SaysThatADiskMayBeWellLater) {
  // NOLINTNEXTLINE(misc-include-cleaner): ESTALE is in no header, either
  for (const int error : {EIO, EROFS, ENOTCONN, ESTALE, ETIMEDOUT, EAGAIN}) {
    const absl::Status status = DiskError(error, "/data/blobs");
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_EQ(RetryDelayOf(status), kDiskRetryDelay) << status;
  }
}

TEST(DiskErrorTest, SaysNothingOfALaterTimeWhereWaitingDoesNotHelp) {
  const absl::Status too_large = DiskError(EFBIG, "/data/blobs");
  EXPECT_TRUE(absl::IsResourceExhausted(too_large)) << too_large;
  EXPECT_EQ(RetryDelayOf(too_large), std::nullopt);
  const absl::Status missing = DiskError(ENOENT, "/data/blobs");
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_EQ(RetryDelayOf(missing), std::nullopt);
}

TEST(DiskErrorTest, DeniesNothingToTheCaller) {
  for (const int error : {EACCES, EPERM}) {
    const absl::Status status = DiskError(error, "/data/blobs");
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_EQ(RetryDelayOf(status), std::nullopt) << status;
  }
}

TEST(DiskErrorTest, TellsWhatMayPass) {
  for (const int error : {EIO, ENOSPC, EMFILE, ENFILE, ENOMEM, EAGAIN}) {
    EXPECT_TRUE(MayPass(DiskError(error, "/models"))) << error;
  }
  for (const int error : {ENOENT, ENOTDIR, EACCES, EISDIR, ELOOP}) {
    EXPECT_FALSE(MayPass(DiskError(error, "/models"))) << error;
  }
  EXPECT_FALSE(MayPass(absl::OkStatus()));
}

TEST(DiskErrorTest, NamesTheFileAndTheReason) {
  EXPECT_EQ(DiskError(ENOSPC, "/data/blobs").message(),
            "/data/blobs: No space left on device: make room on its disk");
}

}  // namespace
}  // namespace moeprobe
