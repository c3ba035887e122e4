#ifndef MOEPROBE_CLIENT_RESULT_PRINTED_QUANTITIES_H_
#define MOEPROBE_CLIENT_RESULT_PRINTED_QUANTITIES_H_

#include <array>

namespace moeprobe {

// A quantity that tables show, where a result has it.
struct PrintedQuantity {
  const char* part;  // "" or "baseline/"
  const char* name;
  const char* group;
  const char* title;
};
// NOLINTBEGIN(modernize-use-designated-initializers): rows of a table.
inline constexpr std::array<PrintedQuantity, 20> kPrintedQuantities = {
    {{"", "jacobian_cosine/routed", "Jacobian cosine", "routed"},
     {"", "jacobian_cosine/gate", "Jacobian cosine", "gate"},
     {"", "jacobian_cosine/all", "Jacobian cosine", "all"},
     {"baseline/", "jacobian_cosine/routed", "Jacobian cosine", "baseline"},
     {"", "grassmann/routed", "Grassmann", "routed"},
     {"", "grassmann/all_tokens", "Grassmann", "all tokens"},
     {"", "grassmann/sample_weighted", "Grassmann", "weighted"},
     {"baseline/", "grassmann/routed", "Grassmann", "baseline"},
     {"", "pca/routed/effective_rank", "Effective rank", "routed"},
     {"", "pca/all_tokens/effective_rank", "Effective rank", "all tokens"},
     {"", "pca/sample_weighted/effective_rank", "Effective rank", "weighted"},
     {"", "pca/all/effective_rank", "Effective rank", "reference"},
     {"baseline/", "pca/all/effective_rank", "Effective rank", "baseline"},
     {"", "leading_singular_value", "Leading \u03C3", "experts"},
     {"baseline/", "leading_singular_value", "Leading \u03C3", "baseline"},
     {"", "stable_rank", "Stable rank", "experts"},
     {"baseline/", "stable_rank", "Stable rank", "baseline"},
     {"", "singular_value_decay", "\u03C3 decay", "experts"},
     {"baseline/", "singular_value_decay", "\u03C3 decay", "baseline"},
     {"", "router_term_ratio", "Router term", "share"}}};
// NOLINTEND(modernize-use-designated-initializers)

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_PRINTED_QUANTITIES_H_
