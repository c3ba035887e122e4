#include "storage/schema.h"

#include <array>
#include <cstddef>

#include "core/base/sha256.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

// SHA-256 of the steps.
constexpr std::array<const char*, 13> kReleased = {
    "9e7ef7ba6f005f2ba440f6ac8c36fd4d97aa1b8db0284e85e96bc3b003daa87f",
    "3b762730faa1b3fc915a344ebb16b81525c9d82a090b3f8da9cf3532568f4264",
    "d3623e33512d0b0c690a75cc73c78f928aab68819ff9831bf73132517f19ff96",
    "ce8139d1c2cb559229c8c00caf38af1c0ff77745f2bed3459c5dba971f690206",
    "7c99d7eb5108276aed1bb44e7a8de8b9df2473f74ca603a6b2e77fb4d1548f1b",
    "af0afce68211a285408ffa522d512d8c0b5708c4abc879e57f5cc24809124c07",
    "ef8dbad5ea6bc5862807617493b5721a298973038f4f069fbe7a79fba7546c0c",
    "3a35e9ec15b4cfc0f4843a69ec8cfb615caa3050121f4e03e5743adc2b8e5d55",
    "790d1828de6dd6b5973827e12166e611ac7ab6d8d9590783f391fd58ea35611b",
    "3de7510958495cf9f9cbc9bc4c2ceb5bf34401f8c2f557ab7bf8dad6033bf7be",
    "6185e7f2df0723a4ebdc26a2fc36905c7c5ac41afb1cfac31111990941a4743a",
    "174cd54d053ad807c0b1f61df9681a9e8d665bdbd1d5533f5c6e6d6bd6b2f24f",
    "61daba7f0de991a857083bd9b24c340b2bafe7d6a8f69bb188490bfa3a6ad4bd",
};

// Databases hold the words of the steps that made them, and one whose words are
// not those of the program is not opened (CheckSchemaObjects).
TEST(SchemaTest, NeverChangesAStep) {
  const auto steps = Migrations();
  ASSERT_GE(steps.size(), kReleased.size()) << "a released step is gone";
  for (size_t i = 0; i < kReleased.size(); ++i) {
    EXPECT_EQ(Sha256Hex(steps[i]), kReleased[i])
        << "step " << i + 1
        << " has other words than before: a step that has been released never "
           "changes, add a new one";
  }
  EXPECT_EQ(steps.size(), kReleased.size())
      << "of a new step, add the SHA-256: " << Sha256Hex(steps.back());
}

}  // namespace
}  // namespace moeprobe
