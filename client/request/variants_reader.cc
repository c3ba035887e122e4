#include "client/request/variants_reader.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client/request/message_fields.h"
#include "client/request/routing_reader.h"
#include "client/request/value.h"
#include "client/text/nearest_name.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

constexpr size_t kLongestName = 40;

// Names become parts of the names of arrays and of paths.
bool IsName(std::string_view name) {
  const auto is_alphanumeric = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c));
  };
  return !name.empty() && name.size() <= kLongestName &&
         is_alphanumeric(name[0]) && std::ranges::all_of(name, [&](char c) {
           return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
         });
}

// A key that has no meaning beside what else is said of the variant.
absl::Status CheckAbsent(const Value& variant, const char* key,
                         const std::string& why) {
  const std::vector<Value> found = variant.Find(key);
  return found.empty() ? absl::OkStatus()
                       : found[0].KeyError("has no meaning " + why);
}

absl::Status ReadVariant(const Value& value, v1::Variant& variant) {
  MOEPROBE_RETURN_IF_ERROR(value.Fields(
      {ChoiceField("block", variant), ChoiceField("match", variant),
       PartField("routing", variant, ReadRouting)}));
  if (variant.block() == v1::BLOCK_DENSE) {
    return CheckAbsent(value, "routing", "where block is dense");
  }
  for (const Value& routing : value.Find("routing")) {
    MOEPROBE_RETURN_IF_ERROR(CheckAbsent(
        routing, "forward", "in training, whose forward pass has these gates"));
  }
  return CheckAbsent(value, "match", "where block is not dense");
}

std::vector<std::string> NamesWithExperts(const v1::TrainSpec& spec) {
  std::vector<std::string> names;
  for (const v1::Variant& variant : spec.variants()) {
    if (variant.block() != v1::BLOCK_DENSE) names.push_back(variant.name());
  }
  return names;
}

}  // namespace

absl::Status ReadVariants(const Value& value, v1::TrainSpec& spec) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> variants, value.Entries());
  for (const Value& variant : variants) {
    const std::string& name = variant.node().key;
    if (!IsName(name)) {
      return variant.KeyError(absl::StrCat(
          "is no name of a variant, expected 1 to ", kLongestName,
          R"( letters, digits, "-", "_" and ".", the first a letter or digit)"));
    }
    spec.add_variants()->set_name(name);
    MOEPROBE_RETURN_IF_ERROR(
        ReadVariant(variant, *spec.mutable_variants()->rbegin()));
  }
  if (!variants.empty()) return absl::OkStatus();
  return value.Error(
      "found no variant, expected one such as soft: {block: moe, routing: "
      "{select: all}}");
}

absl::Status ReadSwapRouting(const Value& value, v1::TrainSpec& spec) {
  const std::vector<std::string> known = NamesWithExperts(spec);
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<Value> items, value.Items());
  for (const Value& item : items) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::string name, item.Text());
    if (std::ranges::find(known, name) == known.end()) {
      const std::string meant = NearestName(name, known);
      return item.Expected(absl::StrCat(
          "the name of a variant with experts",
          meant.empty() ? "" : absl::StrCat("; did you mean ", meant, "?")));
    }
    const auto& seen = spec.swap_routing();
    if (std::ranges::find(seen, name) != seen.end()) {
      return item.Error(
          absl::StrCat("found ", Quoted(name), " twice, expected it once"));
    }
    spec.add_swap_routing(name);
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
