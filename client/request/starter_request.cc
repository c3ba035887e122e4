#include "client/request/starter_request.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/substitute.h"
#include "moeprobe/v1/server_service.pb.h"

namespace moeprobe {
namespace {

// Layers up to which one looks at all of them first.
constexpr int kFewLayers = 8;

// Experts beyond which all of them on every token are dear.
constexpr int kFewExperts = 16;

std::string DoubleQuoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

std::string Shape(const v1::Model& model) {
  const std::string experts =
      model.expert_count() == 0
          ? "dense"
          : absl::StrCat(model.expert_count(), " experts, top ",
                         model.experts_per_token());
  return absl::StrFormat("%s: %d layers of width %d, %s", model.family(),
                         model.layer_count(), model.width(), experts);
}

}  // namespace

std::string StarterRequest(const v1::Model& model, const std::string& text) {
  const bool many = model.expert_count() > kFewExperts;
  return absl::Substitute(
      R"(# $0
# What it resolves to and what it takes: moeprobe-client explain FILE
# Every key: docs/request.md
kind: analyze
model: $1
# baseline: NAME             # a dense counterpart, probed on the same text
data:
  text: $2  # a file of yours, or a data set of the server
  tokens: 16384              # or all
  sequence_length: 512       # windows are independent sequences
layers: $3   # all, early-middle-late, or such as [3, 16, 29]
# precision: bfloat16        # faster, for checkpoints of that type
probes:
  routing: {}
  jacobian: {average: [routed, gate$4]}$5
  pca: {conventions: [routed], components: 5}
  # spectra: {tokens_per_expert: 8, top: 16}    # singular values at tokens
  # router_term: {tokens: 64}                   # what the gates' gradients add
  # redundancy: {}                              # which experts resemble each other
  # interventions: {pairs: 8}                   # what the model loses if merged
# routing: {select: all}     # the same experts under other gates
# sweep: {routing.temperature: [0.5, 1, 2]}     # one job for all of them
nulls: {random_router: 99, bootstrap: 200}
seed: 0
)",
      Shape(model), DoubleQuoted(model.name()), DoubleQuoted(text),
      model.layer_count() <= kFewLayers ? "all              "
                                        : "early-middle-late",
      many ? "" : ", all", many ? "  # all: every expert on every token" : "");
}

}  // namespace moeprobe
