#include "server/null_groups.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

constexpr std::string_view kPrefix = "nulls/";
constexpr const char* kEveryExpert = "jacobian/all";

bool IsJacobian(const std::string& group) {
  return absl::StartsWith(group, "jacobian/");
}

// Whether a base group has means that can be drawn again. Those at sampled
// tokens have no null: routing does not enter.
bool HasNulls(const std::string& base, const v1::NullSpec& nulls) {
  if (base == "spectra" || base == "router_term") return nulls.bootstrap() > 0;
  if (base == "pca/matched") return false;
  return absl::StartsWith(base, "pca/") || base == kEveryExpert ||
         base == "jacobian/routed" || base == "jacobian/gate";
}

bool AveragesAll(const v1::ProbeSpec& probes) {
  return std::ranges::count(probes.jacobian().average(),
                            int{v1::WEIGHTING_ALL}) > 0;
}

bool AreOn(const v1::NullSpec& nulls) {
  return nulls.random_router() > 0 || nulls.permutations() > 0 ||
         nulls.random_weights() > 0 || nulls.bootstrap() > 0;
}

bool HasNulls(const std::set<std::string>& groups) {
  return std::ranges::any_of(groups, [](const std::string& group) {
    return !BaseOfNulls(group).empty();
  });
}

}  // namespace

std::string BaseOfNulls(const std::string& group) {
  return group.starts_with(kPrefix) ? group.substr(kPrefix.size()) : "";
}

std::vector<std::string> NullGroups(const std::vector<std::string>& bases,
                                    const v1::NullSpec& nulls) {
  std::vector<std::string> groups;
  if (!AreOn(nulls)) return groups;
  for (const std::string& base : bases) {
    if (HasNulls(base, nulls)) {
      groups.push_back(absl::StrCat(std::string(kPrefix), base));
    }
  }
  return groups;
}

std::set<std::string> WithBases(const std::set<std::string>& groups,
                                const v1::ProbeSpec& probes) {
  std::set<std::string> result = groups;
  for (const std::string& group : groups) {
    const std::string base = BaseOfNulls(group);
    if (!base.empty()) result.insert(base);
  }
  if (HasNulls(groups) && AveragesAll(probes) &&
      std::ranges::any_of(result, IsJacobian)) {
    result.insert(kEveryExpert);
  }
  return result;
}

v1::NullSpec NullsFor(const std::set<std::string>& groups,
                      const v1::NullSpec& nulls) {
  return HasNulls(groups) ? nulls : v1::NullSpec();
}

}  // namespace moeprobe
