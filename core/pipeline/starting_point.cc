#include "core/pipeline/starting_point.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/sha256.h"
#include "core/base/token_windows.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/embedding.h"
#include "core/model/hidden_state_spill.h"
#include "core/model/routing_rule.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/layer_analysis.h"

namespace moeprobe {
namespace {

// What makes the hidden states those of another routing; "" for the model's
// own.
std::string RoutingText(const std::optional<RoutingChange>& change) {
  if (!change || !change->forward) return "";
  const RoutingRule& rule = change->rule;
  return absl::StrFormat("\nrouting %d %d %a", rule.per_token,
                         static_cast<int>(rule.renormalize), rule.temperature);
}

// Everything that determines the hidden states. The positions that statistics
// leave out are not among it: they pass through the layers like all others.
HiddenStateSpill SpillOf(const AnalysisRequest& request,
                         const Checkpoint& checkpoint) {
  const std::string data = DataFingerprint(
      request.token_ids,
      {.tokens = -1, .sequence_length = request.sequence_length});
  return {request.spill_directory,
          Sha256Hex(absl::StrCat("hidden state 1\n", checkpoint.stamp(), "\n",
                                 checkpoint.config_sha256(), "\n", data, "\n",
                                 static_cast<int>(request.precision),
                                 RoutingText(request.routing)))};
}

}  // namespace

HiddenState StartingPoint(const AnalysisRequest& request,
                          const Checkpoint& checkpoint, int64_t last) {
  const int64_t first =
      request.layers.empty() ? last + 1 : request.layers.front();
  if (!request.spill_directory.empty()) {
    std::optional<HiddenState> spilled = SpillOf(request, checkpoint).Read();
    if (spilled.has_value() && spilled->next_layer <= first) {
      return *std::move(spilled);
    }
  }
  return {.residual = Embed(checkpoint, TokenIds(request))};
}

absl::Status SpillAfterLayer(const AnalysisRequest& request,
                             const Checkpoint& checkpoint,
                             const HiddenState& state) {
  if (request.spill_directory.empty()) return absl::OkStatus();
  return SpillOf(request, checkpoint).Write(state);
}

}  // namespace moeprobe
