#include "spec/sweep_cells.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

void AddAxis(const std::string& field, const std::vector<std::string>& values,
             v1::AnalyzeSpec& spec) {
  v1::SweepAxis& axis = *spec.add_sweep();
  axis.set_field(field);
  for (const std::string& value : values) axis.add_values(value);
}

TEST(CellsOfTest, IsTheRequestItselfWithoutASweep) {
  v1::AnalyzeSpec spec;
  spec.set_model("m");
  const std::vector<SweepCell> cells = CellsOf(spec);
  ASSERT_THAT(cells, SizeIs(1));
  EXPECT_EQ(cells[0].prefix, "");
  EXPECT_THAT(cells[0].settings, IsEmpty());
  EXPECT_EQ(cells[0].spec.model(), "m");
  EXPECT_EQ(CountCells(spec), 1);
}

TEST(CellsOfTest, IsTheProductOfTheAxesTheLastOneFastest) {
  v1::AnalyzeSpec spec;
  AddAxis("routing.temperature", {"0.5", "2"}, spec);
  AddAxis("seed", {"1", "2", "3"}, spec);
  const std::vector<SweepCell> cells = CellsOf(spec);
  ASSERT_THAT(cells, SizeIs(6));
  EXPECT_EQ(CountCells(spec), 6);
  EXPECT_EQ(cells[4].prefix, "sweep4/");
  EXPECT_THAT(cells[4].settings,
              ElementsAre(Pair("routing.temperature", "2"), Pair("seed", "2")));
  EXPECT_EQ(cells[4].spec.routing().temperature(), 2);
  EXPECT_EQ(cells[4].spec.seed(), 2);
  EXPECT_TRUE(cells[4].spec.sweep().empty());
  EXPECT_THAT(cells[1].settings, ElementsAre(Pair("routing.temperature", "0.5"),
                                             Pair("seed", "2")));
}

TEST(CellsOfTest, TakesTheNumberOfExpertsFromCellsThatTakeAll) {
  v1::AnalyzeSpec spec;
  spec.mutable_routing()->set_top_k(2);
  AddAxis("routing.select", {"top_k", "all"}, spec);
  const std::vector<SweepCell> cells = CellsOf(spec);
  EXPECT_EQ(cells[0].spec.routing().top_k(), 2);
  EXPECT_FALSE(cells[1].spec.routing().has_top_k());
}

TEST(CountCellsTest, DoesNotOverflow) {
  v1::AnalyzeSpec spec;
  const std::vector<std::string> values(1000, "1");
  for (int axis = 0; axis < 20; ++axis) AddAxis("seed", values, spec);
  EXPECT_GT(CountCells(spec), 1000000);
}

}  // namespace
}  // namespace moeprobe
