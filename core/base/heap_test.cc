#include "core/base/heap.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int64_t kPageBytes = 4096;

// Memory in use, and as much of it that is freed in pieces between the rest.
class HeapTest : public testing::Test {
 protected:
  using Piece = std::unique_ptr<std::byte[]>;
  static constexpr int kPieceCount = 512;
  static constexpr int64_t kPieceBytes = int64_t{64} << 10;

  HeapTest() {
    for (int i = 0; i < kPieceCount; ++i) {
      // Zeros, so that its pages are there.
      freed_.push_back(std::make_unique<std::byte[]>(kPieceBytes));
      used_.push_back(std::make_unique<std::byte[]>(kPieceBytes));
    }
    freed_.clear();
  }

  std::vector<Piece> freed_;
  std::vector<Piece> used_;
};

TEST_F(HeapTest, GivesBackWhatIsFreedBetweenWhatIsInUse) {
  const int64_t before = AnonymousBytes();
  ASSERT_GE(before, 2 * kPieceCount * kPieceBytes);
  GiveBackFreedMemory();
  // But for the rest of a page at both ends of a piece.
  EXPECT_LT(AnonymousBytes(),
            before - kPieceCount * (kPieceBytes - 2 * kPageBytes));
}

}  // namespace
}  // namespace moeprobe
