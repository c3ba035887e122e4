#include "core/pipeline/hidden_states.h"

#include <ATen/Parallel.h>
#include <torch/headeronly/version.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/bounded_directory.h"
#include "core/base/numerics_version.h"
#include "core/base/sha256.h"
#include "core/base/token_windows.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/embedding.h"
#include "core/model/hidden_state_store.h"
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
  return absl::StrFormat("%d %d %a", rule.per_token,
                         static_cast<int>(rule.renormalize), rule.temperature);
}

// Everything that determines hidden states to the last bit. The positions that
// statistics leave out are not among it: they pass through the layers like all
// others.
std::string KeyOf(const AnalysisRequest& request,
                  const Checkpoint& checkpoint) {
  const std::string data = DataFingerprint(
      request.token_ids,
      {.tokens = -1, .sequence_length = request.sequence_length});
  return Sha256Hex(absl::StrCat(
      "hidden states\nnumerics=", kNumericsVersion,
      "\nlibtorch=", TORCH_VERSION, "\nthreads=", at::get_num_threads(),
      "\nfiles=", checkpoint.stamp(), "\nconfig=", checkpoint.config_sha256(),
      "\ndata=", data, "\nprecision=", static_cast<int>(request.precision),
      "\nrouting=", RoutingText(request.routing)));
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
    return HiddenState{.residual = Embed(checkpoint_, TokenIds(request_))};
  }
  std::optional<HiddenState> state = store_.Read(layer);
  if (state && state->fingerprint == fingerprint) return state;
  lost_.insert(layer);
  return std::nullopt;
}

absl::Status HiddenStates::Keep(const HiddenState& state, bool lasting) {
  if (!storing_) return absl::OkStatus();
  const absl::Status status = store_.Write(state);
  storing_ = status.ok();
  if (!storing_) return status;
  if (passing_) store_.Remove(*passing_);
  passing_.reset();
  if (!lasting) passing_ = state.next_layer;
  return absl::OkStatus();
}

}  // namespace moeprobe
