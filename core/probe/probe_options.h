#ifndef MOEPROBE_CORE_PROBE_PROBE_OPTIONS_H_
#define MOEPROBE_CORE_PROBE_PROBE_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moeprobe {

// Weights w_e(x) of an averaged Jacobian (SPEC: function geometry).
enum class Weighting : std::uint8_t {
  kAll,     // 1 over every token
  kRouted,  // 1 over the tokens routed to the expert
  kGate,    // the gate g_e(x)
};

// Readings of the routed data set (SPEC: representation geometry).
enum class Convention : std::uint8_t {
  kRouted,          // rows g_e h over the tokens routed to e
  kAllTokens,       // rows g_e h over all tokens
  kSampleWeighted,  // rows h with sample weights g_e
};

// Names in results and requests: "all", "routed", "gate".
std::string NameOf(Weighting weighting);

// Names in results and requests: "routed", "all_tokens", "sample_weighted".
std::string NameOf(Convention convention);

// Options of the Jacobian probe.
struct JacobianOptions {
  std::vector<Weighting> average = {Weighting::kRouted, Weighting::kGate,
                                    Weighting::kAll};
  int64_t projections = 0;  // vectors v to compare v'J of averages by
  int64_t tokens = 16;  // common ones at which single Jacobians are compared
  // Also averages over the tokens of each expert; `average` holds kAll then.
  bool by_tokens = false;
};

// Options of the PCA probe.
struct PcaOptions {
  std::vector<Convention> conventions = {Convention::kRouted};
  int64_t components = 5;  // n
  bool basis = false;      // also publish the bases
  bool angles = false;     // also publish all principal angles
  bool matched = true;     // also PCAs of samples as small as the experts'
};

// Stands for all tokens where a number of them is asked for.
inline constexpr int64_t kAllTokens = -1;

// Options of the spectra probe.
struct SpectraOptions {
  int64_t tokens_per_expert = 8;  // sampled, or kAllTokens
  int64_t top = 16;               // leading singular values
};

// Which tokens the router term is taken at.
enum class TokenPlacement : std::uint8_t {
  kSpread,  // at even distances
  kFirst,   // the leading ones
};

// Options of the router term.
struct RouterTermOptions {
  int64_t tokens = 64;
  TokenPlacement at = TokenPlacement::kSpread;
};

// How much is drawn at random to judge the means of the Jacobian and PCA probes
// (SPEC: whether a number means anything); 0 is none.
struct NullOptions {
  int64_t random_router = 0;   // draws of the random-router null
  int64_t permutations = 0;    // draws of the permutation null
  int64_t random_weights = 0;  // draws of the random-weight null
  int64_t bootstrap = 0;       // draws of the bootstrap over windows
  bool keep_draws = false;     // also publish the draws of the nulls
};

// Options of the redundancy report.
struct RedundancyOptions {
  int64_t tokens = 256;  // sampled, that every expert runs on; 0: none
  int64_t rank = 128;    // size of the subspaces of weights
  bool weights = true;   // compare weights, too
};

// What is done to a pair of experts to see whether the model notices.
enum class Intervention : std::uint8_t {
  kAverage,  // both become the mean of their weights
  kReplace,  // one does the other's work, too
  kAblate,   // one says nothing
};

// Names in results and requests: "average", "replace", "ablate".
std::string NameOf(Intervention intervention);

// Options of interventions.
struct InterventionOptions {
  int64_t pairs = 8;  // of experts, of each layer
  std::vector<Intervention> kinds = {
      Intervention::kAverage, Intervention::kReplace, Intervention::kAblate};
  int64_t tokens = 2048;  // leading ones that the loss is taken over
};

// What to compute; an absent probe is not run.
struct ProbeOptions {
  bool routing = true;
  std::optional<JacobianOptions> jacobian;
  std::optional<PcaOptions> pca;
  std::optional<SpectraOptions> spectra;
  std::optional<RouterTermOptions> router_term;
  NullOptions nulls;
  std::optional<RedundancyOptions> redundancy;
  std::optional<InterventionOptions> interventions;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PROBE_OPTIONS_H_
