#include "client/result/ranked_pairs.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"
#include "client/testing/fake_server.h"
#include "core/base/npy.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <typename T>
std::string Npy(DataType type, const std::vector<int64_t>& shape,
                const std::vector<T>& entries) {
  Array array{.type = type, .shape = shape, .bytes = {}};
  array.bytes.assign(reinterpret_cast<const char*>(entries.data()),
                     entries.size() * sizeof(T));
  return EncodeNpy(array);
}

class RankedPairsTest : public testing::Test {
 protected:
  RankedPairsTest() {
    state_.job.set_name("jobs/17");
    AddLayer("layer10", {1, 2}, {.9, .8, 1.5, .125});
    AddLayer("layer9", {0, 1, 0, 2}, {.7, .6, 2, kNaN, -.1, .2, 3, kNaN});
  }

  void AddLayer(const std::string& place, const std::vector<int64_t>& pairs,
                const std::vector<double>& scores) {
    const auto count = static_cast<int64_t>(pairs.size() / 2);
    state_.arrays[place + "/redundancy_pairs"] =
        Npy(DataType::kInt64, {count, 2}, pairs);
    state_.arrays[place + "/redundancy_scores"] =
        Npy(DataType::kFloat64, {count, 4}, scores);
  }

  absl::StatusOr<std::vector<LayerPairs>> Read() {
    const FakeServer server(state_);
    Client client({.address = server.address()}, cancellation_);
    const absl::StatusOr<v1::Result> result = client.GetResult("jobs/17");
    if (!result.ok()) return result.status();
    return ReadRankedPairs(client, *result);
  }

  FakeServerState state_;
  Cancellation cancellation_;
};

TEST_F(RankedPairsTest, AreReadByLayer) {
  AddLayer("baseline/layer9", {}, {});  // one expert: nothing to rank
  const auto layers = Read();
  ASSERT_TRUE(layers.ok()) << layers.status();
  ASSERT_EQ(layers->size(), 2);
  EXPECT_EQ((*layers)[0].layer, 9);
  EXPECT_EQ((*layers)[0].pairs[1].second, 2);
  EXPECT_EQ((*layers)[0].pairs[1].alignment, -.1);
  EXPECT_TRUE(std::isnan((*layers)[0].pairs[1].weight_overlap));
  EXPECT_EQ((*layers)[1].pairs[0].distance, 1.5);
}

TEST_F(RankedPairsTest, AreATableWithACaution) {
  const std::string text = RankedPairsText(*Read(), 1, 100);
  EXPECT_THAT(
      text, testing::StartsWith(
                "layer  experts  alignment  outputs  Grassmann  weights\n"
                "    9     0, 1      0.700    0.600      2.000        \u2013\n"
                "   10     1, 2      0.900    0.800      1.500    0.125\n"));
  EXPECT_THAT(text, HasSubstr("Similarity is not importance"));
  EXPECT_EQ(RankedPairsText({}, 1, 100), "");
}

TEST_F(RankedPairsTest, NameTheirPartWhereThereAreSeveral) {
  AddLayer("data1/layer9", {0, 1}, {1, 1, 0, 1});
  const std::string text = RankedPairsText(*Read(), 1, 100);
  EXPECT_THAT(text, HasSubstr("model"));
  EXPECT_THAT(text, HasSubstr("data1/model"));
}

TEST_F(RankedPairsTest, AreNullInJsonWhereTheyAreNotKnown) {
  const nlohmann::ordered_json json = RankedPairsJson(*Read(), 1);
  ASSERT_EQ(json.size(), 2);
  EXPECT_EQ(json[0]["layer"], 9);
  ASSERT_EQ(json[0]["pairs"].size(), 1);
  EXPECT_EQ(json[0]["pairs"][0]["experts"].dump(), "[0,1]");
  EXPECT_EQ(json[0]["pairs"][0]["alignment"], .7);
  EXPECT_THAT(json.dump(), HasSubstr("\"weight_overlap\":null"));
}

TEST_F(RankedPairsTest, AreRefusedInAnotherForm) {
  state_.arrays["layer9/redundancy_scores"] =
      Npy<double>(DataType::kFloat64, {2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(absl::IsDataLoss(Read().status()));
}

TEST_F(RankedPairsTest, AreRefusedDamaged) {
  state_.damage_arrays = true;
  EXPECT_TRUE(absl::IsDataLoss(Read().status()));
}

TEST_F(RankedPairsTest, AreNoneWhereNobodyAskedForThem) {
  state_.arrays = {{"layer0/grassmann/routed", "bytes"}};
  EXPECT_THAT(*Read(), ElementsAre());
}

}  // namespace
}  // namespace moeprobe
