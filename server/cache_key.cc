#include "server/cache_key.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/numerics_version.h"
#include "core/base/sha256.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

// The parameters that a group depends on, as text.
std::string ParametersOf(const std::string& group,
                         const v1::ProbeSpec& probes) {
  if (!absl::StartsWith(group, "pca/")) return "";
  const v1::PcaProbe& pca = probes.pca();
  return absl::StrCat("components=", pca.components(),
                      "\nbasis=", static_cast<int>(pca.basis()),
                      "\nangles=", pca.angles(), "\n");
}

}  // namespace

std::string CacheKey(const CacheKeyFields& fields) {
  return Sha256Hex(absl::StrCat(
      "numerics=", kNumericsVersion, "\nweights=", fields.weights_fingerprint,
      "\ndata=", fields.data_fingerprint, "\nprecision=",
      fields.precision == v1::PRECISION_BFLOAT16 ? "bfloat16" : "float32",
      "\ndevice=", fields.device == v1::DEVICE_CUDA ? "cuda" : "cpu",
      "\nlayer=", fields.layer, "\ngroup=", fields.group, "\n",
      ParametersOf(fields.group, *fields.probes)));
}

}  // namespace moeprobe
