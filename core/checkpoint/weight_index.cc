#include "core/checkpoint/weight_index.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxShards = 4096;

// Whether `name` is that of a file in the same folder, and fit for a message.
bool IsFileName(const std::string& name) {
  return !name.empty() && name != "." && name != ".." &&
         std::ranges::none_of(name, [](char c) {
           return c == '/' || c == '\\' || absl::ascii_iscntrl(c);
         });
}

absl::Status CheckShardName(const std::string& tensor,
                            const std::string& shard) {
  if (!IsFileName(shard)) {
    return absl::InvalidArgumentError(
        absl::StrCat("tensor ", Quoted(tensor), " is mapped to ", Quoted(shard),
                     ", expected the name of a file beside the index"));
  }
  if (!shard.ends_with(".safetensors")) {
    return absl::UnimplementedError(
        absl::StrCat("tensor ", Quoted(tensor), " is mapped to ", Quoted(shard),
                     ", expected a .safetensors file"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<WeightIndex> ParseWeightIndex(std::string_view json) {
  MOEPROBE_ASSIGN_OR_RETURN(const JsonObject root, ParseJsonObject(json));
  const JsonValue* map = FindMember(root, "weight_map");
  if (map == nullptr || map->object() == nullptr || map->object()->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("key \"weight_map\" is ",
                     map == nullptr ? "missing" : map->Description(),
                     ", expected an object that maps tensors to files"));
  }
  WeightIndex index;
  for (const auto& [tensor, shard] : *map->object()) {
    if (shard.string() == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor ", Quoted(tensor), " is mapped to ",
                       shard.Description(), ", expected a file name"));
    }
    MOEPROBE_RETURN_IF_ERROR(CheckShardName(tensor, *shard.string()));
    index[*shard.string()].push_back(tensor);
    if (index.size() > kMaxShards) {
      return absl::InvalidArgumentError(
          absl::StrCat("key \"weight_map\" names more than ", kMaxShards,
                       " files, expected at most that many"));
    }
  }
  return index;
}

}  // namespace moeprobe
