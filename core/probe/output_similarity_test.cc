#include "core/probe/output_similarity.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/router.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

constexpr int64_t kWidth = 24;
constexpr int64_t kTokens = 60;

class OutputSimilarityTest : public testing::Test {
 protected:
  OutputSimilarityTest() {
    at::manual_seed(8);
    for (int e = 0; e < 3; ++e) experts_.emplace_back(kWidth, 32);
    h_ = at::randn({kTokens, kWidth});
    counted_ = at::ones({kTokens}, at::kBool);
  }

  void Run(int64_t tokens, int64_t seed = 0) {
    LayerTensors tensors;
    for (const ExpertFixture& expert : experts_) {
      tensors.experts.push_back(expert.Tensors());
    }
    const Routing routing;  // who is routed where does not matter
    result_ = OutputSimilarity(
        {.tensors = tensors, .h = h_, .routing = routing, .counted = counted_},
        tokens, seed);
  }

  std::vector<double> Numbers(const std::string& name) const {
    for (const NamedArray& named : result_.arrays) {
      if (named.name != name) continue;
      std::vector<double> numbers(named.array.bytes.size() / sizeof(double));
      std::memcpy(numbers.data(), named.array.bytes.data(),
                  named.array.bytes.size());
      return numbers;
    }
    ADD_FAILURE() << "no array " << name;
    return {};
  }

  std::vector<double> Similarity() const {
    return Numbers("output_similarity");
  }

  std::vector<ExpertFixture> experts_;
  at::Tensor h_, counted_;
  ProbeResult result_;
};

class OutputSimilarityOfKindTest
    : public OutputSimilarityTest,
      public testing::WithParamInterface<ExpertKind> {};

INSTANTIATE_TEST_SUITE_P(Kinds, OutputSimilarityOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(OutputSimilarityOfKindTest, IsTheMeanCosineOfOutputs) {
  experts_.clear();
  for (int e = 0; e < 3; ++e) experts_.emplace_back(kWidth, 32, GetParam());
  counted_.slice(0, 0, 5).fill_(false);
  Run(kTokens);
  double cosine = 0;
  double norm = 0;
  for (int64_t t = 5; t < kTokens; ++t) {
    const at::Tensor a = experts_[0].Apply(h_[t].to(at::kDouble));
    const at::Tensor b = experts_[2].Apply(h_[t].to(at::kDouble));
    cosine += (a.dot(b) / a.norm() / b.norm()).item<double>() / (kTokens - 5);
    norm += a.norm().item<double>() / (kTokens - 5);
  }
  // Outputs are float32.
  EXPECT_NEAR(Similarity()[2], cosine, 1e-6);
  EXPECT_EQ(Similarity()[2], Similarity()[6]);
  EXPECT_EQ(Similarity()[4], 1);
  EXPECT_NEAR(Numbers("output_norm")[0], norm, 1e-5);
  EXPECT_TRUE(result_.warnings.empty());
}

// cos of two random vectors has deviation 1/sqrt(d); the tokens' outputs share
// their experts, so that the mean over them is not much closer to 0.
TEST_F(OutputSimilarityTest, OfRandomExpertsIsAboutZero) {
  Run(kTokens);
  EXPECT_NEAR(Similarity()[1], 0, 3 / std::sqrt(kWidth));
}

TEST_F(OutputSimilarityTest, OfIdenticalExpertsIsOneWhateverTheOrder) {
  experts_.push_back(experts_[0]);
  experts_.back().PermuteNeurons();
  Run(16);
  EXPECT_NEAR(Similarity()[3], 1, 1e-6);
  EXPECT_NEAR(Numbers("output_norm")[3], Numbers("output_norm")[0], 1e-5);
}

TEST_F(OutputSimilarityTest, DoesNotDependOnTheScaleOfOutputs) {
  Run(16);
  const std::vector<double> before = Similarity();
  const double norm = Numbers("output_norm")[1];
  experts_[1].down.mul_(8);  // a power of two: no rounding
  Run(16);
  EXPECT_EQ(Similarity(), before);
  EXPECT_EQ(Numbers("output_norm")[1], 8 * norm);
}

TEST_F(OutputSimilarityTest, SamplesBySeed) {
  Run(8, 1);
  const std::vector<double> one = Similarity();
  Run(8, 1);
  EXPECT_EQ(Similarity(), one);
  Run(8, 2);
  EXPECT_NE(Similarity(), one);
}

TEST_F(OutputSimilarityTest, IsNanWhereAnOutputIsZero) {
  experts_[1].down.zero_();
  Run(16);
  EXPECT_TRUE(std::isnan(Similarity()[1]));
  EXPECT_TRUE(std::isnan(Similarity()[4]));
  EXPECT_FALSE(std::isnan(Similarity()[2]));
  EXPECT_EQ(Numbers("output_norm")[1], 0);
  EXPECT_THAT(result_.warnings,
              testing::ElementsAre(HasSubstr("expert 1: its output is zero")));
}

TEST_F(OutputSimilarityTest, IsNanWithoutATokenThatCounts) {
  counted_.fill_(false);
  Run(16);
  EXPECT_TRUE(std::isnan(Similarity()[0]));
  EXPECT_THAT(result_.warnings, testing::ElementsAre(HasSubstr("no token")));
}

}  // namespace
}  // namespace moeprobe
