#include "client/result/shown_quantities.h"

#include <array>
#include <span>

namespace moeprobe {
namespace {

// NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
constexpr std::array<ShownQuantity, 41> kQuantities = {
    {{"", "jacobian_cosine/routed", "Jacobian cosine", "routed"},
     {"", "jacobian_cosine/gate", "Jacobian cosine", "gate"},
     {"", "jacobian_cosine/all", "Jacobian cosine", "all"},
     {"", "jacobian_cosine/token", "Jacobian cosine", "token"},
     {"baseline/", "jacobian_cosine/routed", "Jacobian cosine", "baseline"},
     {"", "jacobian_cosine_corrected/routed", "Corrected cosine", "routed"},
     {"", "jacobian_cosine_corrected/gate", "Corrected cosine", "gate"},
     {"", "jacobian_cosine_corrected/all", "Corrected cosine", "all"},
     {"", "grassmann/routed", "Grassmann", "routed"},
     {"", "grassmann/all_tokens", "Grassmann", "all tokens"},
     {"", "grassmann/sample_weighted", "Grassmann", "weighted"},
     {"baseline/", "grassmann/routed", "Grassmann", "baseline"},
     {"", "grassmann/routed/split_half_within", "Halves, routed", "within"},
     {"", "grassmann/routed/split_half_between", "Halves, routed", "between"},
     {"", "grassmann/all_tokens/split_half_within", "Halves, all tokens",
      "within"},
     {"", "grassmann/all_tokens/split_half_between", "Halves, all tokens",
      "between"},
     {"", "grassmann/sample_weighted/split_half_within", "Halves, weighted",
      "within"},
     {"", "grassmann/sample_weighted/split_half_between", "Halves, weighted",
      "between"},
     {"", "pca/routed/effective_rank", "Effective rank", "routed"},
     {"", "pca/all_tokens/effective_rank", "Effective rank", "all tokens"},
     {"", "pca/sample_weighted/effective_rank", "Effective rank", "weighted"},
     {"", "pca/matched/effective_rank", "Effective rank", "matched"},
     {"", "pca/all/effective_rank", "Effective rank", "reference"},
     {"baseline/", "pca/all/effective_rank", "Effective rank", "baseline"},
     {"", "pca/routed/components", "Components for 50/80/90/95 %", "routed"},
     {"", "pca/all_tokens/components", "Components for 50/80/90/95 %",
      "all tokens"},
     {"", "pca/sample_weighted/components", "Components for 50/80/90/95 %",
      "weighted"},
     {"", "pca/matched/components", "Components for 50/80/90/95 %", "matched"},
     {"", "pca/all/components", "Components for 50/80/90/95 %", "reference"},
     {"baseline/", "pca/all/components", "Components for 50/80/90/95 %",
      "baseline"},
     {"", "leading_singular_value", "Leading \u03C3", "experts"},
     {"baseline/", "leading_singular_value", "Leading \u03C3", "baseline"},
     {"", "singular_value_decay", "\u03C3 decay", "experts"},
     {"baseline/", "singular_value_decay", "\u03C3 decay", "baseline"},
     {"", "stable_rank", "Stable rank", "experts"},
     {"baseline/", "stable_rank", "Stable rank", "baseline"},
     {"", "router_term_ratio", "Router term", "share"},
     {"", "output_similarity", "Output cosine", "experts"},
     {"", "weight_overlap/input", "Weight overlap", "input"},
     {"", "weight_overlap/output", "Weight overlap", "output"},
     {"", "weight_overlap/floor", "Weight overlap", "random"}}};
// NOLINTEND(modernize-use-designated-initializers)

}  // namespace

std::span<const ShownQuantity> ShownQuantities() { return kQuantities; }

}  // namespace moeprobe
