#include "spec/scalar_field.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// What SetField says of a value; empty if nothing.
std::string Problem(const std::string& path, const std::string& text) {
  v1::AnalyzeSpec spec;
  spec.add_data();
  return std::string(SetField(path, text, spec).status().message());
}

TEST(SweepableFieldsTest, AreNumbersAndChoices) {
  const std::vector<std::string> fields = SweepableFields();
  for (const char* field :
       {"routing.select", "routing.top_k", "routing.temperature",
        "routing.normalize", "routing.forward", "probes.pca.components",
        "probes.spectra.tokens_per_expert", "probes.spectra.top",
        "probes.router_term.at", "precision", "seed", "data.tokens",
        "data.sequence_length", "data.skip_first", "nulls.bootstrap"}) {
    EXPECT_THAT(fields, Contains(field));
  }
  for (const char* field :
       {"model", "device", "data.text", "data", "layers", "layers.preset",
        "probes.jacobian.average", "probes.pca.basis", "nll", "sweep",
        "sweep.field", "routing"}) {
    EXPECT_THAT(fields, Not(Contains(field)));
  }
}

TEST(SetFieldTest, SetsAnyOfThem) {
  v1::AnalyzeSpec spec;
  spec.add_data();
  EXPECT_EQ(*SetField("routing.temperature", "5e-1", spec), "0.5");
  EXPECT_EQ(spec.routing().temperature(), 0.5);
  EXPECT_EQ(*SetField("routing.select", "all", spec), "all");
  EXPECT_EQ(spec.routing().select(), v1::ROUTING_SELECTION_ALL);
  EXPECT_EQ(*SetField("precision", "bfloat16", spec), "bfloat16");
  EXPECT_EQ(spec.precision(), v1::PRECISION_BFLOAT16);
  EXPECT_EQ(*SetField("probes.pca.components", "7", spec), "7");
  EXPECT_EQ(spec.probes().pca().components(), 7);
  EXPECT_EQ(*SetField("seed", "0", spec), "0");
  EXPECT_TRUE(spec.has_seed());
  EXPECT_EQ(*SetField("data.tokens", "all", spec), "all");
  EXPECT_EQ(spec.data(0).tokens(), -1);
  EXPECT_EQ(*SetField("data.sequence_length", "64", spec), "64");
  EXPECT_EQ(spec.data(0).sequence_length(), 64);
}

TEST(SetFieldTest, HoldsEveryTextAgainstItsField) {
  EXPECT_THAT(Problem("routing.select", "soft"),
              HasSubstr("found \"soft\", expected top_k or all"));
  EXPECT_THAT(Problem("routing.temperature", "warm"),
              HasSubstr("expected a number"));
  EXPECT_THAT(Problem("routing.temperature", "inf"),
              HasSubstr("expected a number"));
  EXPECT_THAT(Problem("seed", "all"), HasSubstr("expected an integer"));
  EXPECT_THAT(Problem("seed", "-1"), HasSubstr("expected an integer"));
  EXPECT_THAT(Problem("seed", "07"), HasSubstr("plain decimal digits"));
  EXPECT_THAT(Problem("probes.pca.components", "3000000000"),
              HasSubstr("expected an integer"));
  EXPECT_THAT(Problem("data.tokens", "many"), HasSubstr("or all"));
}

TEST(SetFieldTest, NeedsTheFieldToBeThere) {
  for (const char* path :
       {"", ".", "model", "nothing", "routing", "routing.nothing",
        "routing.top_k.more", "nothing.top_k", "probes.pca.conventions"}) {
    EXPECT_THAT(Problem(path, "1"), HasSubstr("no such field")) << path;
  }
  v1::AnalyzeSpec two;
  two.add_data();
  two.add_data();
  EXPECT_THAT(std::string(SetField("data.tokens", "1", two).status().message()),
              HasSubstr("one data set"));
}

TEST(SetFieldTest, TakesEachOfTheSweepableFields) {
  v1::AnalyzeSpec spec;
  spec.add_data();
  for (const std::string& field : SweepableFields()) {
    const absl::Status status = SetField(field, "?", spec).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr("found \"?\""))
        << field;
  }
}

}  // namespace
}  // namespace moeprobe
