#include "core/probe/weight_overlap.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/randperm.h>
#include <c10/core/ScalarType.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/probe_result.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::HasSubstr;

class WeightOverlapTest : public testing::Test {
 protected:
  WeightOverlapTest() { at::manual_seed(3); }

  void AddExperts(int count, int64_t width, int64_t hidden,
                  ExpertKind kind = ExpertKind::kGatedMlp) {
    for (int e = 0; e < count; ++e) experts_.emplace_back(width, hidden, kind);
  }

  void Run(int64_t rank) {
    LayerTensors tensors;
    for (const ExpertFixture& expert : experts_) {
      tensors.experts.push_back(expert.Tensors());
    }
    result_ = WeightOverlap(tensors, rank);
  }

  std::vector<double> Numbers(const std::string& name) const {
    for (const NamedArray& named : result_.arrays) {
      if (named.name != "weight_overlap/" + name) continue;
      std::vector<double> numbers(named.array.bytes.size() / sizeof(double));
      std::memcpy(numbers.data(), named.array.bytes.data(),
                  named.array.bytes.size());
      return numbers;
    }
    ADD_FAILURE() << "no array " << name;
    return {};
  }

  std::vector<ExpertFixture> experts_;
  ProbeResult result_;
};

// [W_gate; W_up] and W_down', float64: what an expert reads and writes.
at::Tensor InputSide(const ExpertFixture& expert) {
  if (!expert.up.defined()) return expert.gate.to(at::kDouble);
  return at::cat({expert.gate, expert.up}).to(at::kDouble);
}
at::Tensor OutputSide(const ExpertFixture& expert) {
  return expert.down.t().to(at::kDouble);
}

// By a full SVD: the leading right singular vectors [r, d] and their energy.
std::tuple<at::Tensor, double> Leading(const at::Tensor& x, int64_t rank) {
  const auto [u, s, vh] = at::linalg_svd(x, /*full_matrices=*/false);
  return {
      vh.narrow(0, 0, rank),
      (s.narrow(0, 0, rank).square().sum() / s.square().sum()).item<double>()};
}

class WeightOverlapOfKindTest : public WeightOverlapTest,
                                public testing::WithParamInterface<ExpertKind> {
};

INSTANTIATE_TEST_SUITE_P(Kinds, WeightOverlapOfKindTest,
                         testing::ValuesIn(kExpertKinds));

TEST_P(WeightOverlapOfKindTest, IsThatOfFullDecompositions) {
  constexpr int64_t kRank = 4;
  AddExperts(3, 12, 10, GetParam());
  Run(kRank);
  for (const bool input : {true, false}) {
    const auto side = input ? InputSide : OutputSide;
    const std::string name = input ? "input" : "output";
    const std::vector<double> overlap = Numbers(name);
    for (size_t i = 0; i < 3; ++i) {
      const auto [q, energy] = Leading(side(experts_[i]), kRank);
      EXPECT_NEAR(Numbers(name + "_energy")[i], energy, 1e-9);
      for (size_t j = 0; j < 3; ++j) {
        const auto [p, other] = Leading(side(experts_[j]), kRank);
        // Bases are kept in float32.
        EXPECT_NEAR(overlap[3 * i + j],
                    q.mm(p.t()).square().sum().item<double>() / kRank, 1e-6);
      }
    }
  }
  EXPECT_DOUBLE_EQ(Numbers("floor")[0], 4.0 / 12);
  EXPECT_TRUE(result_.warnings.empty());
}

// s is the mean of r d squared entries of two random frames, which is r/d; its
// standard deviation is below 1/d (Beta moments), here over 190 pairs.
TEST_F(WeightOverlapTest, OfRandomExpertsIsTheFloor) {
  AddExperts(20, 64, 96);
  Run(8);
  for (const char* name : {"input", "output"}) {
    const std::vector<double> overlap = Numbers(name);
    double mean = 0;
    for (size_t i = 0; i < 20; ++i) {
      for (size_t j = i + 1; j < 20; ++j) mean += overlap[20 * i + j] / 190;
    }
    EXPECT_NEAR(mean, 8.0 / 64, 4.0 / 64 / std::sqrt(190)) << name;
  }
}

TEST_F(WeightOverlapTest, OfIdenticalExpertsIsOne) {
  AddExperts(2, 10, 14);
  experts_.push_back(experts_[0]);
  Run(3);
  EXPECT_NEAR(Numbers("input")[2], 1, 1e-6);
  EXPECT_NEAR(Numbers("output")[2], 1, 1e-6);
  EXPECT_LT(Numbers("input")[1], 0.9);
  EXPECT_EQ(Numbers("input")[4], 1);  // an expert with itself
}

TEST_F(WeightOverlapTest, DoesNotDependOnTheOrderOfNeuronsNorOnScale) {
  AddExperts(2, 10, 14);
  Run(3);
  const double input = Numbers("input")[1];
  const double output = Numbers("output")[1];
  const double energy = Numbers("output_energy")[1];
  ExpertFixture& expert = experts_[1];
  expert.PermuteNeurons();
  expert.gate.mul_(5);
  expert.up.mul_(5);
  expert.down.mul_(0.01);
  Run(3);
  EXPECT_NEAR(Numbers("input")[1], input, 1e-6);
  EXPECT_NEAR(Numbers("output")[1], output, 1e-6);
  EXPECT_NEAR(Numbers("output_energy")[1], energy, 1e-6);
}

// Wider than what is decomposed in full: against the full SVD, where there is
// no gap for iterations to find.
TEST_F(WeightOverlapTest, IsCloseToItWhereWeightsAreWide) {
  constexpr int64_t kRank = 8;
  AddExperts(2, 520, 300);
  // What the experts have in common, so that there is an overlap to find.
  const at::Tensor common = experts_[0].gate.slice(0, 0, 8) * 2;
  for (ExpertFixture& expert : experts_) {
    expert.gate.slice(0, 0, 8).copy_(common);
  }
  Run(kRank);
  const auto [q, energy] = Leading(InputSide(experts_[0]), kRank);
  const auto [p, other] = Leading(InputSide(experts_[1]), kRank);
  const double exact = q.mm(p.t()).square().sum().item<double>() / kRank;
  EXPECT_GT(exact, 0.4);
  EXPECT_NEAR(Numbers("input")[1], exact, 2e-3);
  EXPECT_NEAR(Numbers("input_energy")[0], energy, 1e-4);
}

TEST_F(WeightOverlapTest, SaysWhereTheSubspaceIsEverything) {
  AddExperts(2, 6, 9);
  Run(128);
  EXPECT_EQ(Numbers("floor")[0], 1);
  EXPECT_NEAR(Numbers("input")[1], 1, 1e-6);
  EXPECT_THAT(result_.warnings, testing::ElementsAre(HasSubstr("whole space")));
}

TEST_F(WeightOverlapTest, OfZeroWeightsIsNan) {
  AddExperts(3, 6, 9);
  experts_[1].gate.zero_();
  experts_[1].up.zero_();
  Run(2);
  EXPECT_TRUE(std::isnan(Numbers("input")[1]));
  EXPECT_TRUE(std::isnan(Numbers("input")[4]));
  EXPECT_FALSE(std::isnan(Numbers("input")[2]));
  EXPECT_FALSE(std::isnan(Numbers("output")[1]));
  EXPECT_THAT(result_.warnings, testing::ElementsAre(HasSubstr("expert 1")));
}

TEST_F(WeightOverlapTest, OfADenseLayerIsThatOfOneExpert) {
  const ExpertFixture dense(8, 12);
  LayerTensors tensors;
  tensors.dense = dense.Tensors();
  result_ = WeightOverlap(tensors, 2);
  EXPECT_THAT(Numbers("input"), testing::ElementsAre(1));
}

}  // namespace
}  // namespace moeprobe
