#include "server/worker/part_provenance.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/printable.h"
#include "core/base/version.h"
#include "core/pipeline/analyze.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {
namespace {

constexpr size_t kFirstTokens = 16;

}  // namespace

v1::Provenance ProvenanceOf(const v1::TaskPart& part, const PartTokens& tokens,
                            const AnalysisReport& report) {
  v1::Provenance provenance;
  provenance.set_prefix(part.prefix());
  provenance.set_model(part.model());
  provenance.set_model_fingerprint(report.model_fingerprint);
  provenance.set_data_fingerprint(tokens.fingerprint);
  provenance.set_token_count(static_cast<int64_t>(tokens.ids.size()));
  const size_t shown = std::min(kFirstTokens, tokens.ids.size());
  provenance.mutable_first_token_ids()->Add(
      tokens.ids.begin(),
      tokens.ids.begin() + static_cast<std::ptrdiff_t>(shown));
  if (report.nll) provenance.set_nll(*report.nll);
  auto& environment = *provenance.mutable_environment();
  environment["device"] = report.device;
  if (const absl::Status& kept = report.keeping_hidden_states; !kept.ok()) {
    environment["hidden_states"] =
        PrintableLine(absl::StrCat("not kept: ", kept.message()));
  }
  environment["layers_run"] =
      absl::StrCat(report.layers_run, " of ", report.layer_count);
  environment["libtorch"] = report.libtorch_version;
  environment["moeprobe"] = Version();
  environment["precision"] =
      part.precision() == v1::PRECISION_BFLOAT16 ? "bfloat16" : "float32";
  environment["threads"] = absl::StrCat(report.threads);
  return provenance;
}

}  // namespace moeprobe
