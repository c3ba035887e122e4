#include "core/plan/hidden_state_key.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/bounded_directory.h"
#include "core/base/numerics_version.h"
#include "core/base/sha256.h"

namespace moeprobe {
namespace {

std::string RoutingText(const std::optional<ForwardRouting>& routing) {
  if (!routing) return "";
  return absl::StrFormat("%d %d %a", routing->per_token,
                         static_cast<int>(routing->renormalize),
                         routing->temperature);
}

}  // namespace

std::string HiddenStateKey(const HiddenStateFields& fields) {
  return Sha256Hex(absl::StrCat(
      "hidden states\nnumerics=", kNumericsVersion,
      "\nlibtorch=", fields.libtorch_version, "\nthreads=", fields.threads,
      "\nfiles=", fields.stamp, "\nconfig=", fields.config_sha256,
      "\ndata=", fields.data_fingerprint,
      "\nprecision=", fields.bfloat16 ? "bfloat16" : "float32",
      "\nrouting=", RoutingText(fields.routing), "\n"));
}

std::string HiddenStateName(const std::string& key, int64_t layer) {
  return absl::StrCat(key, "-", layer);
}

std::set<int64_t> LayersStored(const BoundedDirectory& directory,
                               const std::string& key) {
  const std::string prefix = absl::StrCat(key, "-");
  std::set<int64_t> layers;
  for (const std::string& name : directory.NamesWith(prefix)) {
    int64_t layer = 0;
    if (absl::SimpleAtoi(name.substr(prefix.size()), &layer)) {
      layers.insert(layer);
    }
  }
  return layers;
}

}  // namespace moeprobe
