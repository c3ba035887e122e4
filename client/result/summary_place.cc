#include "client/result/summary_place.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

std::string PrefixOf(const v1::SummaryRow& row) {
  if (row.layer() < 0) {
    return std::string(absl::StripSuffix(row.name(), row.quantity()));
  }
  // A prefix may hold the like: of a variant by such a name.
  const std::string layer = absl::StrCat("layer", row.layer(), "/");
  return row.name().substr(0, row.name().rfind(layer));
}

std::string PartName(const std::string& prefix) {
  if (absl::EndsWith(prefix, "baseline/")) {
    return std::string(absl::StripSuffix(prefix, "/"));
  }
  return absl::StrCat(prefix, "model");
}

}  // namespace moeprobe
