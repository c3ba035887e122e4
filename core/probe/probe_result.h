#ifndef MOEPROBE_CORE_PROBE_PROBE_RESULT_H_
#define MOEPROBE_CORE_PROBE_PROBE_RESULT_H_

#include <string>
#include <vector>

#include "core/base/npy.h"

namespace moeprobe {

// A result array.
struct NamedArray {
  // Within a part of a job: "layer3/expert_count". A probe names it without the
  // layer.
  std::string name;
  // Part of the request it answers: "routing", "jacobian/{weighting}",
  // "jacobian/corrected/{weighting}", "jacobian/projected/{weighting}",
  // "jacobian/token", "jacobian/by_tokens", "pca/{convention}",
  // "pca/reference", "pca/matched", "spectra", "spectra/{weighting}",
  // "router_term", "redundancy/{outputs,weights,pairs}", "nll" or
  // "interventions/{layer}"; or "nulls/" and one of them.
  std::string probe;
  Array array;
};

// What a probe has to say about one layer.
struct ProbeResult {
  std::vector<NamedArray> arrays;
  // Each names expert and reason; the layer is added by the caller.
  std::vector<std::string> warnings;
};

// Moves everything in `from` to the end of `to`.
void Append(ProbeResult from, ProbeResult& to);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PROBE_PROBE_RESULT_H_
