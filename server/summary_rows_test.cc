#include "server/summary_rows.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/base/npy.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "server/array_messages.h"
#include "server/summary.h"
#include "storage/result_store.h"

namespace moeprobe {
namespace {

// An array as the store returns it.
JobArray Stored(int part, int64_t layer, const std::string& name,
                std::vector<int64_t> shape,
                const std::vector<double>& numbers) {
  Array array{
      .type = DataType::kFloat64, .shape = std::move(shape), .bytes = {}};
  array.bytes.resize(numbers.size() * sizeof(double));
  std::memcpy(array.bytes.data(), numbers.data(), array.bytes.size());
  JobArray stored;
  stored.part = part;
  stored.prefix = part == 0 ? "" : "baseline/";
  stored.layer = layer;
  stored.array.name = name;
  stored.array.shape = array.shape;
  stored.array.summary = Summarize(QuantityOf(name, layer), array);
  stored.npy = EncodeNpy(array);
  return stored;
}

TEST(SummaryRowsTest, JoinAMeanWithItsInterval) {
  v1::Result result;
  AddSummary({Stored(0, 3, "layer3/x", {2}, {1, 3}),
              Stored(0, 3, "layer3/x/interval", {2}, {1.5, 2.5}),
              Stored(0, 3, "layer3/x/p", {}, {0.25}),
              Stored(1, 3, "layer3/x", {2}, {5, 5}),
              Stored(1, 3, "layer3/x/se", {}, {0.125})},
             result);
  ASSERT_EQ(result.summary_size(), 2);
  const v1::SummaryRow& model = result.summary(0);
  EXPECT_EQ(model.name(), "layer3/x");
  EXPECT_EQ(model.quantity(), "x");
  EXPECT_EQ(model.mean(), 2);
  EXPECT_EQ(model.interval_high(), 2.5);
  EXPECT_EQ(model.p_value(), 0.25);
  EXPECT_FALSE(model.has_standard_error());
  const v1::SummaryRow& baseline = result.summary(1);
  EXPECT_EQ(baseline.name(), "baseline/layer3/x");
  EXPECT_EQ(baseline.standard_error(), 0.125);
  EXPECT_FALSE(baseline.has_interval_low());
}

TEST(SummaryRowsTest, LeaveOutWhatBelongsToNoMean) {
  v1::Result result;
  AddSummary({Stored(0, 0, "layer0/x/interval", {2}, {1, 2}),
              Stored(0, 0, "layer0/y/bootstrap_draws", {2}, {1, 2})},
             result);
  EXPECT_EQ(result.summary_size(), 0);
}

TEST(SummaryRowsTest, AverageNumbersOfComponentsOverExperts) {
  v1::Result result;
  AddSummary({Stored(0, 0, "layer0/pca/routed/components", {3, 4},
                     {1, 2, 3, 4, 3, 4, 5, 8, -1, -1, -1, -1}),
              Stored(0, 0, "layer0/x", {}, {1})},
             result);
  ASSERT_EQ(result.summary_size(), 5);
  const v1::SummaryRow& half = result.summary(0);
  EXPECT_EQ(half.name(), "layer0/pca/routed/components");
  EXPECT_EQ(half.quantity(), "pca/routed/components/50");
  EXPECT_EQ(half.mean(), 2);
  EXPECT_EQ(half.count(), 2);
  EXPECT_EQ(result.summary(3).quantity(), "pca/routed/components/95");
  EXPECT_EQ(result.summary(3).mean(), 6);
}

TEST(SummaryRowsTest, LeaveOutDamagedBytes) {
  JobArray damaged = Stored(0, 0, "layer0/x/p", {}, {0.25});
  damaged.npy = "not an array";
  v1::Result result;
  AddSummary({Stored(0, 0, "layer0/x", {2}, {1, 3}), damaged}, result);
  ASSERT_EQ(result.summary_size(), 1);
  EXPECT_FALSE(result.summary(0).has_p_value());
}

}  // namespace
}  // namespace moeprobe
