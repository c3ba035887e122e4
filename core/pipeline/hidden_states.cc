#include "core/pipeline/hidden_states.h"

#include <ATen/Parallel.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "core/base/bounded_directory.h"
#include "core/base/token_windows.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/embedding.h"
#include "core/model/hidden_state_store.h"
#include "core/model/routing_rule.h"
#include "core/pipeline/analyze.h"
#include "core/pipeline/layer_analysis.h"
#include "core/plan/hidden_state_key.h"
#include "core/tensor/libtorch_kernels.h"

namespace moeprobe {
namespace {

std::optional<ForwardRouting> RoutingOf(
    const std::optional<RoutingChange>& change) {
  if (!change || !change->forward) return std::nullopt;
  return ForwardRouting{.per_token = change->rule.per_token,
                        .renormalize = change->rule.renormalize,
                        .temperature = change->rule.temperature};
}

// The positions that statistics leave out are not part of it: they pass through
// the layers like all others.
std::string KeyOf(const AnalysisRequest& request,
                  const Checkpoint& checkpoint) {
  return HiddenStateKey(
      {.stamp = checkpoint.stamp(),
       .config_sha256 = checkpoint.config_sha256(),
       .data_fingerprint = DataFingerprint(
           request.token_ids,
           {.tokens = -1, .sequence_length = request.sequence_length}),
       .bfloat16 = request.precision == Precision::kBFloat16,
       .threads = at::get_num_threads(),
       .libtorch_version = LibtorchVersion(),
       .routing = RoutingOf(request.routing)});
}

}  // namespace

HiddenStates::HiddenStates(const AnalysisRequest& request,
                           const Checkpoint& checkpoint)
    : request_(request),
      checkpoint_(checkpoint),
      store_(BoundedDirectory(request.hidden_states.directory,
                              request.hidden_states.limit_bytes),
             KeyOf(request, checkpoint)),
      storing_(request.hidden_states.limit_bytes > 0) {}

std::map<int64_t, std::string> HiddenStates::Stored() const {
  if (request_.hidden_states.limit_bytes == 0) return {};
  std::map<int64_t, std::string> stored = store_.Stored();
  for (const int64_t layer : lost_) stored.erase(layer);
  return stored;
}

std::optional<HiddenState> HiddenStates::Fetch(int64_t layer,
                                               const std::string& fingerprint) {
  if (layer == 0) {
    return HiddenState{.residual = Embed(checkpoint_, TokenIds(request_),
                                         request_.sequence_length)};
  }
  std::optional<HiddenState> state = store_.Read(layer);
  if (state && state->fingerprint == fingerprint) return state;
  lost_.insert(layer);
  return std::nullopt;
}

absl::Status HiddenStates::Keep(const HiddenState& state, bool lasting) {
  if (!storing_) return absl::OkStatus();
  absl::Status status = store_.Write(state);
  storing_ = status.ok();
  if (!storing_) return status;
  if (passing_) store_.Remove(*passing_);
  passing_.reset();
  if (!lasting) passing_ = state.next_layer;
  return absl::OkStatus();
}

}  // namespace moeprobe
