#include "core/base/heap.h"

#include <malloc.h>

#include <array>
#include <barrier>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace moeprobe {
namespace {

constexpr int kThreads = 6;
constexpr size_t kPieceBytes = 4000;

// Heaps of this process, as the C library tells of them.
int HeapCount() {
  std::FILE* info = std::tmpfile();
  EXPECT_EQ(malloc_info(0, info), 0);
  EXPECT_EQ(std::fseek(info, 0, SEEK_SET), 0);
  int count = 0;
  for (std::array<char, 256> line;
       std::fgets(line.data(), 256, info) != nullptr;) {
    count += std::string_view(line.data()).starts_with("<heap ") ? 1 : 0;
  }
  EXPECT_EQ(std::fclose(info), 0);
  return count;
}

// Each thread has memory while all of them do.
void AllocateTogether() {
  std::barrier all(kThreads);
  std::vector<std::jthread> threads(kThreads);
  for (std::jthread& thread : threads) {
    thread = std::jthread([&] {
      std::vector<char> piece(kPieceBytes);
      all.arrive_and_wait();
      piece.clear();
    });
  }
}

TEST(HeapTest, IsSharedByThreadsBeyondTheLimit) {
  LimitHeaps(2);
  AllocateTogether();
  EXPECT_LE(HeapCount(), 2);
}

}  // namespace
}  // namespace moeprobe
