#include "core/probe/token_bootstrap.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/nanmean.h>
#include <ATen/ops/stack.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/probe/probe_result.h"
#include "core/probe/significance_arrays.h"
#include "core/significance/bootstrap_counts.h"
#include "core/significance/window_groups.h"

namespace moeprobe {

TokenBootstrap::TokenBootstrap(WindowGroups groups, int64_t draws, int64_t seed)
    : groups_(std::move(groups)) {
  if (draws > 0) counts_ = BootstrapCounts(groups_.count, draws, seed);
}

void TokenBootstrap::Add(const std::string& quantity, const std::string& probe,
                         const std::vector<TokenValues>& experts,
                         ProbeResult& result) const {
  if (!counts_.defined()) return;
  std::vector<at::Tensor> means;
  std::vector<at::Tensor> draws;
  for (const auto& [tokens, values] : experts) {
    if (tokens.size(0) == 0 || values.isnan().any().item<bool>()) continue;
    means.push_back(values.mean());
    const at::Tensor weights = counts_.index_select(
        1, groups_.of_token.index_select(0, tokens));  // [draws, n]
    draws.push_back(weights.mv(values) / weights.sum(1));
  }
  if (means.empty()) return;
  const auto observed = at::stack(means).mean().item<double>();
  AddSignificance(quantity, probe,
                  {.observed = observed,
                   .replicate = observed,
                   .bootstrap = at::nanmean(at::stack(draws), 0)},
                  /*keep_draws=*/true, result);
}

}  // namespace moeprobe
