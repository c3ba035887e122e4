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

std::string StarterExperiment(const std::string& text) {
  return absl::Substitute(
      R"(# Models of the same shape, trained on the same batches in the same order
# What it resolves to and what it takes: moeprobe-client explain FILE
# Every key: docs/request.md
kind: train
# task: mlp                  # no text: data: {synthetic: {}}, no attention
data:
  text: $0  # a file of yours, or a data set of the server
  vocabulary: bytes          # or a model of the server, for its tokenizer
  held_out: 0.1              # the end of the text is not learned from
model:
  layers: 3
  width: 128
  heads: 4
  context: 64
  experts: 8
  expert_width: 256
  expert: gelu_mlp           # or gated_mlp: Mixtral's layout
  init: normal_0.02          # or torch
variants:                    # each is trained once for each seed
  dense: {block: dense, match: expert}   # or active, total: parameters alike
  top-2: {block: moe, routing: {select: top_k, top_k: 2}}
  soft: {block: moe, routing: {select: all}}
seeds: [0, 1, 2]
optimizer:
  learning_rate: 3.0e-4
  batch: 32
  steps: 2000
  # decay: cosine            # constant, linear or cosine, after
  # warmup: 100              # so many steps
  # clip: 1.0                # norm of gradients
  # balance_loss: 0.01       # for even loads of experts
probe:
  every: 500                 # steps; 0: after the last one alone
  evaluate_on: held_out      # or train
  tokens: 16384              # or all
  probes:
    routing: {}
    jacobian: {}
    pca: {conventions: [routed, sample_weighted]}
    # spectra: {tokens_per_expert: all}      # singular values at tokens
  # nulls: {random_router: 99, random_weights: 9, bootstrap: 200}
# swap_routing: [soft, top-2]  # the same parameters under the other's gates
)",
      DoubleQuoted(text));
}

}  // namespace moeprobe
