#include "core/probe/pca_replicates.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <c10/core/ScalarType.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/model/router.h"
#include "core/probe/probe_options.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/replicate_pca.h"
#include "core/significance/window_groups.h"

namespace moeprobe {
namespace {

// Replicates whose matrices are held at once.
constexpr int64_t kReplicatesPerBlock = 32;

// Matrices of a replicate: its moments, its scatter and what comes of it.
constexpr int64_t kMatricesEach = 6;

int64_t MatrixBytes(const ProjectedTokens& tokens) {
  const int64_t size = tokens.coordinates.size(1);
  return size * size * int64_t{sizeof(double)};
}

at::Tensor Cat(const std::vector<ReplicatePca>& parts,
               at::Tensor ReplicatePca::* field) {
  std::vector<at::Tensor> tensors;
  tensors.reserve(parts.size());
  for (const ReplicatePca& part : parts) tensors.push_back(part.*field);
  return at::cat(tensors);
}

}  // namespace

PcaReplicates::PcaReplicates(const ProjectedTokens& tokens,
                             const at::Tensor& counted,
                             const WindowGroups& windows, Convention convention,
                             int64_t components)
    : tokens_(tokens),
      windows_(windows),
      convention_(convention),
      components_(components),
      token_counts_(windows.of_token.masked_select(counted)
                        .bincount({}, windows.count)
                        .to(at::kDouble)) {}

// Weights of squares: g^2 for rows g h, g for sample weights.
Moments PcaReplicates::MomentsOfExpert(const ExpertTokens& expert) const {
  const at::Tensor weight = convention_ == Convention::kSampleWeighted
                                ? expert.gates
                                : expert.gates.square();
  return MomentsOf(tokens_, expert.tokens, weight, expert.gates);
}

Moments PcaReplicates::MomentsByWindow(const ExpertTokens& expert) const {
  const at::Tensor group = windows_.of_token.index_select(0, expert.tokens);
  std::vector<Moments> parts;
  parts.reserve(static_cast<size_t>(windows_.count));
  for (int64_t g = 0; g < windows_.count; ++g) {
    const at::Tensor inside = group.eq(g);
    parts.push_back(
        MomentsOfExpert({.tokens = expert.tokens.masked_select(inside),
                         .gates = expert.gates.masked_select(inside)}));
  }
  return Concatenate(parts);
}

ReplicatePca PcaReplicates::Find(const Moments& moments,
                                 const at::Tensor& token_count) const {
  switch (convention_) {
    case Convention::kRouted:
      return FindReplicatePca(moments, tokens_.mean, moments.rows, components_);
    case Convention::kAllTokens:
      return FindReplicatePca(moments, tokens_.mean, token_count, components_);
    case Convention::kSampleWeighted:
      return FindReplicatePca(moments, tokens_.mean,
                              moments.first.select(1, tokens_.mean.size(0)),
                              components_);
  }
  return {};
}

ReplicatePca PcaReplicates::OfRouting(
    const std::vector<ExpertTokens>& experts) const {
  std::vector<Moments> parts;
  parts.reserve(experts.size());
  for (const ExpertTokens& expert : experts) {
    parts.push_back(MomentsOfExpert(expert));
  }
  return Find(Concatenate(parts), token_counts_.sum().expand(
                                      {static_cast<int64_t>(experts.size())}));
}

ReplicatePca PcaReplicates::OfWindows(const ExpertTokens& expert,
                                      const at::Tensor& counts) const {
  const Moments moments = MomentsByWindow(expert);
  std::vector<ReplicatePca> parts;
  for (int64_t i = 0; i < counts.size(0); i += kReplicatesPerBlock) {
    const at::Tensor some =
        counts.slice(0, i, std::min(i + kReplicatesPerBlock, counts.size(0)));
    parts.push_back(Find(Combine(moments, some), some.mv(token_counts_)));
  }
  return {.shares = Cat(parts, &ReplicatePca::shares),
          .rest = Cat(parts, &ReplicatePca::rest),
          .basis = Cat(parts, &ReplicatePca::basis)};
}

int64_t PcaReplicates::BytesOfRouting(int64_t expert_count) const {
  return expert_count * kMatricesEach * MatrixBytes(tokens_);
}

int64_t PcaReplicates::BytesOfWindows() const {
  return (windows_.count + kReplicatesPerBlock * kMatricesEach) *
         MatrixBytes(tokens_);
}

}  // namespace moeprobe
