#include "core/probe/significance_arrays.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::Key;
using testing::UnorderedElementsAre;

at::Tensor Draws(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

std::map<std::string, std::vector<double>> Published(const MeanReplicates& mean,
                                                     bool keep_draws = false) {
  ProbeResult result;
  AddSignificance("grassmann/routed", "nulls/pca/routed", mean, keep_draws,
                  result);
  std::map<std::string, std::vector<double>> numbers;
  for (const NamedArray& array : result.arrays) {
    EXPECT_EQ(array.probe, "nulls/pca/routed");
    std::vector<double>& values = numbers[array.name];
    values.resize(array.array.bytes.size() / sizeof(double));
    std::memcpy(values.data(), array.array.bytes.data(),
                array.array.bytes.size());
  }
  return numbers;
}

TEST(SignificanceArraysTest, HoldWhatWasDrawn) {
  auto numbers = Published({.observed = 3,
                            .replicate = 3,
                            .bootstrap = Draws({1, 2, 3}),
                            .permutation = Draws({0, 4, 5})});
  EXPECT_THAT(numbers["grassmann/routed/se"], ElementsAre(1));
  EXPECT_THAT(numbers["grassmann/routed/interval"], ElementsAre(2.05, 3.95));
  EXPECT_THAT(numbers["grassmann/routed/permutation_null_mean"],
              ElementsAre(3));
  EXPECT_THAT(numbers["grassmann/routed/permutation_p"], ElementsAre(0.75));
  EXPECT_THAT(numbers["grassmann/routed/bootstrap_draws"],
              ElementsAre(1, 2, 3));
  EXPECT_EQ(numbers.size(), 6);
}

TEST(SignificanceArraysTest, ShiftWhatIsApproximate) {
  auto numbers = Published(
      {.observed = 10, .replicate = 3, .random_router = Draws({1, 2, 3, 4})},
      /*keep_draws=*/true);
  EXPECT_THAT(numbers["grassmann/routed/null_mean"], ElementsAre(9.5));
  EXPECT_THAT(numbers["grassmann/routed/null_draws"],
              ElementsAre(8, 9, 10, 11));
  // Like with like: 3 and 4 are not below the replicate of the observed.
  EXPECT_THAT(numbers["grassmann/routed/p"], ElementsAre(0.6));
}

TEST(SignificanceArraysTest, KeepDrawsOfNullsOnRequest) {
  EXPECT_THAT(
      Published({.random_router = Draws({1, 2}), .permutation = Draws({1, 2})},
                /*keep_draws=*/true),
      testing::IsSupersetOf({Key("grassmann/routed/null_draws"),
                             Key("grassmann/routed/permutation_null_draws")}));
}

TEST(SignificanceArraysTest, AreNoneWhereNothingWasDrawn) {
  EXPECT_THAT(Published({.observed = 1, .replicate = 1}),
              UnorderedElementsAre());
}

}  // namespace
}  // namespace moeprobe
