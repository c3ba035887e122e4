#ifndef MOEPROBE_SERVER_PROBE_RESOLUTION_H_
#define MOEPROBE_SERVER_PROBE_RESOLUTION_H_

#include <cstdint>

#include "moeprobe/v1/analysis.pb.h"
#include "server/violations.h"

namespace moeprobe {

// Returns the probes of `spec` with every default filled in and every list in
// the order of its enumeration. `width` is the smallest model width, which
// bounds the size of a subspace. What is wrong goes to `violations`.
v1::ProbeSpec ResolveProbes(const v1::AnalyzeSpec& spec, int64_t width,
                            Violations& violations);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PROBE_RESOLUTION_H_
