#include "core/checkpoint/weight_index.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace moeprobe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

// An index that maps tensor "t" to `shard`, given as JSON text.
std::string IndexTo(std::string_view shard) {
  return absl::StrCat(R"({"weight_map": {"t": )", std::string(shard), "}}");
}

TEST(WeightIndexTest, GroupsTensorsByShard) {
  const auto index = ParseWeightIndex(R"({
    "metadata": {"total_size": -1, "total_parameters": "a lie"},
    "weight_map": {"a": "2.safetensors", "b": "1.safetensors",
                   "c": "2.safetensors"}})");
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_THAT(*index,
              ElementsAre(Pair("1.safetensors", ElementsAre("b")),
                          Pair("2.safetensors", ElementsAre("a", "c"))));
}

struct BadIndex {
  std::string text;
  std::string named;
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};

void ExpectRefused(const BadIndex& bad) {
  SCOPED_TRACE(bad.named);
  const absl::Status status = ParseWeightIndex(bad.text).status();
  EXPECT_EQ(status.code(), bad.code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(bad.named));
}

TEST(WeightIndexTest, RefusesShardsThatAreNoPlainFileNames) {
  const std::vector<BadIndex> indices = {
      {IndexTo(R"("../../x.safetensors")"), "\"../../x.safetensors\""},
      {IndexTo(R"("/etc/x.safetensors")"), "\"/etc/x.safetensors\""},
      {IndexTo(R"("a/x.safetensors")"), "the name of a file beside the index"},
      {IndexTo(R"("a\\x.safetensors")"), "the name of a file beside the index"},
      {IndexTo(R"("x\u0000.safetensors")"), "\"x\\x00.safetensors\""},
      {IndexTo(R"("..")"), "is mapped to \"..\""},
      {IndexTo(R"(".")"), "is mapped to \".\""},
      {IndexTo(R"("")"), "is mapped to \"\""},
      {IndexTo("3"), "tensor \"t\" is mapped to 3, expected a file name"},
      {IndexTo(R"("x.bin")"), "is mapped to \"x.bin\"",
       absl::StatusCode::kUnimplemented},
  };
  for (const BadIndex& bad : indices) ExpectRefused(bad);
}

TEST(WeightIndexTest, RefusesAnotherForm) {
  const std::vector<BadIndex> indices = {
      {"", "not valid JSON"},
      {"{}", "key \"weight_map\" is missing"},
      {R"({"weight_map": []})", "key \"weight_map\" is a list of 0"},
      {R"({"weight_map": {}})", "key \"weight_map\" is an object"},
      {R"({"weight_map": {"a": "1.safetensors", "a": "2.safetensors"}})",
       "key \"a\" appears twice in \"weight_map\""},
  };
  for (const BadIndex& bad : indices) ExpectRefused(bad);
}

TEST(WeightIndexTest, LimitsTheNumberOfShardsAndTensors) {
  const auto index_of = [](int count) {
    std::string text = R"({"weight_map": {"t": "0.safetensors")";
    for (int i = 1; i < count; ++i) {
      absl::StrAppend(&text, ",\"", i, "\":\"", i, ".safetensors\"");
    }
    return text + "}}";
  };
  EXPECT_TRUE(ParseWeightIndex(index_of(4096)).ok());
  ExpectRefused({index_of(4097), "names more than 4096 files"});
  ExpectRefused({index_of(1'000'000), "holds more than 262144 values"});
}

}  // namespace
}  // namespace moeprobe
