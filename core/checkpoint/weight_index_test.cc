#include "core/checkpoint/weight_index.h"

#include <string>
#include <string_view>

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

void ExpectRefused(const std::string& text, const std::string& named,
                   absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  SCOPED_TRACE(named);
  const absl::Status status = ParseWeightIndex(text).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(named));
}

TEST(WeightIndexTest, RefusesShardsThatAreNoPlainFileNames) {
  ExpectRefused(IndexTo(R"("../../x.safetensors")"), "\"../../x.safetensors\"");
  ExpectRefused(IndexTo(R"("/etc/x.safetensors")"), "\"/etc/x.safetensors\"");
  ExpectRefused(IndexTo(R"("a/x.safetensors")"),
                "the name of a file beside the index");
  ExpectRefused(IndexTo(R"("a\\x.safetensors")"),
                "the name of a file beside the index");
  ExpectRefused(IndexTo(R"("x\u0000.safetensors")"), R"("x\x00.safetensors")");
  ExpectRefused(IndexTo(R"("..")"), "is mapped to \"..\"");
  ExpectRefused(IndexTo(R"("a\u001b[31m.safetensors")"),
                R"(is mapped to "a\x1b[31m.safetensors")");
  ExpectRefused(IndexTo(R"(".")"), "is mapped to \".\"");
  ExpectRefused(IndexTo(R"("")"), "is mapped to \"\"");
  ExpectRefused(IndexTo("3"),
                "tensor \"t\" is mapped to 3, expected a file name");
  ExpectRefused(IndexTo(R"("x.bin")"), "is mapped to \"x.bin\"",
                absl::StatusCode::kUnimplemented);
}

TEST(WeightIndexTest, RefusesAnotherForm) {
  ExpectRefused("", "not valid JSON");
  ExpectRefused("{}", "key \"weight_map\" is missing");
  ExpectRefused(R"({"weight_map": []})", "key \"weight_map\" is a list of 0");
  ExpectRefused(R"({"weight_map": {}})", "key \"weight_map\" is an object");
  ExpectRefused(
      R"({"weight_map": {"a": "1.safetensors", "a": "2.safetensors"}})",
      R"(key "a" appears twice in "weight_map")");
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
  ExpectRefused(index_of(4097), "names more than 4096 files");
  ExpectRefused(index_of(1'000'000), "holds more than 262144 values");
}

}  // namespace
}  // namespace moeprobe
