#include "core/probe/expert_edits.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/model_config.h"
#include "core/model/router.h"
#include "core/model/weight.h"
#include "core/probe/expert_fixture.h"
#include "core/probe/probe_options.h"
#include "core/probe/redundancy_pairs.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;

std::vector<int64_t> Chosen(int64_t total, int64_t count) {
  std::vector<ExpertPair> ranked(static_cast<size_t>(total));
  for (int64_t i = 0; i < total; ++i) {
    ranked[static_cast<size_t>(i)].first = i;
  }
  std::vector<int64_t> ranks;
  for (const ExpertPair& pair : SelectPairs(ranked, count)) {
    ranks.push_back(pair.first);
  }
  return ranks;
}

TEST(SelectPairsTest, TakesTheClosestAndSpreadsTheRest) {
  EXPECT_THAT(Chosen(28, 8), ElementsAre(0, 1, 2, 3, 9, 15, 21, 27));
  EXPECT_THAT(Chosen(28, 5), ElementsAre(0, 1, 2, 14, 27));
  EXPECT_THAT(Chosen(28, 1), ElementsAre(0));
  EXPECT_THAT(Chosen(4, 3), ElementsAre(0, 1, 3));
}

TEST(SelectPairsTest, TakesAllWhereThereAreFew) {
  EXPECT_THAT(Chosen(3, 8), ElementsAre(0, 1, 2));
  EXPECT_THAT(Chosen(0, 8), ElementsAre());
}

class EditTest : public testing::TestWithParam<ExpertKind> {
 protected:
  EditTest() {
    at::manual_seed(1);
    for (int e = 0; e < 3; ++e) experts_.emplace_back(4, 6, GetParam());
    for (const ExpertFixture& expert : experts_) {
      tensors_.experts.push_back(expert.Tensors());
    }
    routing_.chosen = at::tensor({2, 1, 2, 0, 1, 2}, at::kLong).view({3, 2});
    routing_.gates = at::tensor({.75, .25, .5, .5, .625, .375}).view({3, 2});
  }

  EditedLayer Edited(Intervention intervention) {
    return Edit(tensors_, routing_, {.kept = 2, .removed = 1}, intervention);
  }

  static const std::byte* Data(const MlpTensors& expert) {
    return expert.down.bytes.data();
  }

  std::vector<ExpertFixture> experts_;
  LayerTensors tensors_;
  Routing routing_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, EditTest, testing::ValuesIn(kExpertKinds));

TEST_P(EditTest, KeepsTheExpertWithMoreTokens) {
  const EditedPair pair = OrderByLoad({.first = 1, .second = 2}, routing_);
  EXPECT_EQ(pair.kept, 2);
  EXPECT_EQ(pair.removed, 1);
  // Expert 0 has one token; with none for either, the first stays.
  EXPECT_EQ(OrderByLoad({.first = 0, .second = 1}, routing_).kept, 1);
  EXPECT_EQ(OrderByLoad({.first = 7, .second = 8}, routing_).kept, 7);
}

TEST_P(EditTest, AveragesTheWeightsOfBoth) {
  const EditedLayer layer = Edited(Intervention::kAverage);
  const auto mean = [&](at::Tensor ExpertFixture::* weight) {
    return (experts_[1].*weight + experts_[2].*weight) / 2;
  };
  const auto is = [](const TensorView& view, const at::Tensor& wanted) {
    return StoredWeight(view).equal(wanted);
  };
  for (const size_t e : {1, 2}) {
    const MlpTensors& edited = layer.tensors.experts[e];
    EXPECT_TRUE(is(edited.gate, mean(&ExpertFixture::gate)));
    EXPECT_TRUE(is(edited.down, mean(&ExpertFixture::down)));
    if (edited.up) {
      EXPECT_TRUE(is(*edited.up, mean(&ExpertFixture::up)));
      continue;
    }
    ASSERT_TRUE(edited.gate_bias && edited.down_bias);
    EXPECT_TRUE(is(*edited.gate_bias, mean(&ExpertFixture::gate_bias)));
    EXPECT_TRUE(is(*edited.down_bias, mean(&ExpertFixture::down_bias)));
  }
  EXPECT_EQ(Data(layer.tensors.experts[0]), Data(tensors_.experts[0]));
  EXPECT_TRUE(layer.routing.gates.equal(routing_.gates));
}

TEST_P(EditTest, PutsTheKeptExpertInThePlaceOfTheOther) {
  const EditedLayer layer = Edited(Intervention::kReplace);
  EXPECT_EQ(Data(layer.tensors.experts[1]), Data(tensors_.experts[2]));
  EXPECT_EQ(Data(layer.tensors.experts[2]), Data(tensors_.experts[2]));
  EXPECT_TRUE(layer.routing.gates.equal(routing_.gates));
}

TEST_P(EditTest, ClosesTheGatesOfAnAblatedExpert) {
  const EditedLayer layer = Edited(Intervention::kAblate);
  EXPECT_TRUE(layer.routing.gates.flatten().equal(
      at::tensor({.75, 0., .5, .5, 0., .375})));
  EXPECT_EQ(routing_.gates[0][1].item<double>(), .25);  // not in place
  EXPECT_EQ(Data(layer.tensors.experts[1]), Data(tensors_.experts[1]));
}

}  // namespace
}  // namespace moeprobe
