#include "core/model/hidden_state_store.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "core/base/bounded_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr int64_t kLimitBytes = 10'000;

class HiddenStateStoreTest : public testing::Test {
 protected:
  HiddenStateStore StoreOf(const std::string& key,
                           int64_t limit_bytes = kLimitBytes) {
    return {BoundedDirectory(directory_.path(), limit_bytes), key};
  }

  TemporaryDirectory directory_;
  HiddenStateStore store_ = StoreOf("key");
  HiddenState state_{
      .next_layer = 3, .fingerprint = "abc", .residual = at::randn({40, 6})};
};

TEST_F(HiddenStateStoreTest, ReadsBackWhatWasWritten) {
  ASSERT_TRUE(store_.Write(state_).ok());
  const std::optional<HiddenState> read = store_.Read(3);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->next_layer, 3);
  EXPECT_EQ(read->fingerprint, "abc");
  EXPECT_TRUE(read->residual.equal(state_.residual));
}

TEST_F(HiddenStateStoreTest, KeepsSmallerStatesThanAHeader) {
  state_.residual = at::randn({1, 1});
  ASSERT_TRUE(store_.Write(state_).ok());
  EXPECT_TRUE(store_.Read(3)->residual.equal(state_.residual));
}

TEST_F(HiddenStateStoreTest, SaysWhatIsStored) {
  EXPECT_THAT(store_.Stored(), IsEmpty());
  ASSERT_TRUE(store_.Write(state_).ok());
  state_.next_layer = 12;
  state_.fingerprint = "def";
  ASSERT_TRUE(store_.Write(state_).ok());
  EXPECT_THAT(store_.Stored(), ElementsAre(Pair(3, "abc"), Pair(12, "def")));
  store_.Remove(3);
  EXPECT_THAT(store_.Stored(), ElementsAre(Pair(12, "def")));
  EXPECT_FALSE(store_.Read(3).has_value());
}

TEST_F(HiddenStateStoreTest, IgnoresOtherKeys) {
  ASSERT_TRUE(store_.Write(state_).ok());
  EXPECT_FALSE(StoreOf("other").Read(3).has_value());
  EXPECT_THAT(StoreOf("ke").Stored(), IsEmpty());
}

TEST_F(HiddenStateStoreTest, RemovesWhatIsDamaged) {
  const std::filesystem::path file = directory_.path() / "key-3";
  ASSERT_TRUE(store_.Write(state_).ok());
  const auto size =
      static_cast<std::streamoff>(std::filesystem::file_size(file));
  // In the fingerprint, the counts, the digest and the numbers.
  for (const std::streamoff position :
       {std::streamoff{0}, std::streamoff{4}, std::streamoff{7},
        std::streamoff{20}, size - 1}) {
    ASSERT_TRUE(store_.Write(state_).ok());
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(position);
    const int byte = stream.get() ^ 1;
    stream.seekp(position);
    stream.put(static_cast<char>(byte));
    stream.close();
    EXPECT_FALSE(store_.Read(3).has_value()) << position;
    EXPECT_FALSE(std::filesystem::exists(file));
  }
}

TEST_F(HiddenStateStoreTest, RemovesWhatIsCutOrTooLong) {
  const std::filesystem::path file = directory_.path() / "key-3";
  for (const int change : {-1, 1, -1'000'000}) {
    ASSERT_TRUE(store_.Write(state_).ok());
    const auto size = static_cast<int64_t>(std::filesystem::file_size(file));
    std::filesystem::resize_file(
        file, static_cast<std::uintmax_t>(std::max<int64_t>(0, size + change)));
    EXPECT_THAT(store_.Stored(), IsEmpty()) << change;
    EXPECT_FALSE(store_.Read(3).has_value()) << change;
    EXPECT_FALSE(std::filesystem::exists(file));
  }
}

TEST_F(HiddenStateStoreTest, IgnoresAFileUnderAnotherName) {
  ASSERT_TRUE(store_.Write(state_).ok());
  std::filesystem::rename(directory_.path() / "key-3",
                          directory_.path() / "key-4");
  EXPECT_FALSE(store_.Read(4).has_value());
}

TEST_F(HiddenStateStoreTest, SaysThatThereIsNoRoom) {
  const absl::Status status = StoreOf("key", 100).Write(state_);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

}  // namespace
}  // namespace moeprobe
