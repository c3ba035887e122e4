#include "core/base/array_entries.h"

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <typename T>
Array MakeArray(DataType type, const std::vector<T>& entries) {
  return {.type = type,
          .shape = {static_cast<int64_t>(entries.size())},
          .bytes = std::string(reinterpret_cast<const char*>(entries.data()),
                               entries.size() * sizeof(T))};
}

TEST(ArrayEntriesTest, ReadsEveryTypeAsNumbers) {
  EXPECT_THAT(NumbersOf(MakeArray<double>(DataType::kFloat64, {0.1, -2})),
              ElementsAre(0.1, -2));
  EXPECT_THAT(NumbersOf(MakeArray<float>(DataType::kFloat32, {0.5F, -2})),
              ElementsAre(0.5, -2));
  EXPECT_THAT(NumbersOf(MakeArray<int64_t>(DataType::kInt64, {7, -2})),
              ElementsAre(7, -2));
}

TEST(ArrayEntriesTest, KeepsTheTypeWhereItIsKnown) {
  const int64_t large = (int64_t{1} << 53) + 1;  // no double
  EXPECT_THAT(EntriesOf<int64_t>(MakeArray<int64_t>(DataType::kInt64, {large})),
              ElementsAre(large));
}

TEST(ArrayEntriesTest, ReadsAnEmptyArray) {
  EXPECT_THAT(NumbersOf(MakeArray<double>(DataType::kFloat64, {})), IsEmpty());
}

}  // namespace
}  // namespace moeprobe
