#ifndef MOEPROBE_CORE_PROBE_RESAMPLED_LAYER_FIXTURE_H_
#define MOEPROBE_CORE_PROBE_RESAMPLED_LAYER_FIXTURE_H_

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/array_entries.h"
#include "core/checkpoint/model_config.h"
#include "core/model/router.h"
#include "core/model/routing_rule.h"
#include "core/probe/pca_significance.h"
#include "core/probe/probe_options.h"
#include "core/probe/probe_result.h"
#include "core/probe/projected_tokens.h"
#include "core/probe/routed_pca.h"
#include "core/significance/random_router.h"
#include "core/significance/routing_draws.h"
#include "core/significance/shuffled_routing.h"
#include "core/significance/window_groups.h"
#include "gtest/gtest.h"

namespace moeprobe {

using Arrays = std::map<std::string, std::vector<double>>;

inline Arrays Numbers(const ProbeResult& result) {
  Arrays arrays;
  for (const NamedArray& named : result.arrays) {
    arrays[named.name] = EntriesOf<double>(named.array);
  }
  return arrays;
}

// A layer of random hidden states, and what is drawn for it.
struct LayerFixture {
  int64_t token_count = 640;
  int64_t window = 16;
  int64_t width = 12;
  ExpertConfig experts{.count = 4, .per_token = 2, .renormalize = true};
  PcaOptions options{.components = 2};
  NullOptions nulls{.random_router = 19, .permutations = 19, .bootstrap = 40};
  double content = 1;  // how much of the logits comes from the hidden states
  int64_t seed = 0;
  at::Tensor h = {};       // [T, d]; random if undefined
  at::Tensor router = {};  // [E, d]; random if undefined
  Routing routing = {};

  Arrays Run() {
    if (!h.defined()) {
      h = at::randn({token_count, width}) *
          (at::arange(width, at::kFloat) * -0.2).exp();
    }
    const at::Tensor counted = at::ones({h.size(0)}, at::kBool);
    if (!router.defined()) router = at::randn({experts.count, width});
    routing = Route(h * content + at::randn(h.sizes()) * (1 - content), router,
                    OwnRule(experts));
    const WindowGroups windows = GroupWindows(h.size(0), window);
    const absl::StatusOr<PcaFindings> found =
        RoutedPca(h, routing, counted, options);
    EXPECT_TRUE(found.ok()) << found.status();
    const NullRoutings drawn{
        .random_router = RandomRouters(h, routing, counted, OwnRule(experts),
                                       nulls.random_router, seed),
        .permutations =
            ShuffledRouting(routing, counted, nulls.permutations, seed)};
    const ProjectedTokens projected =
        ProjectForReplicates(h, counted, experts.count, options.components);
    Arrays arrays = Numbers(PcaSignificance({.tokens = projected,
                                             .width = h.size(1),
                                             .routing = routing,
                                             .counted = counted,
                                             .windows = windows,
                                             .nulls = drawn},
                                            *found, options, nulls, seed));
    arrays.merge(Numbers(found->result));
    return arrays;
  }
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_RESAMPLED_LAYER_FIXTURE_H_
