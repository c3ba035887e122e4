#ifndef MOEPROBE_CORE_PIPELINE_KNOWN_EXPERT_H_
#define MOEPROBE_CORE_PIPELINE_KNOWN_EXPERT_H_

#include "absl/status/status.h"

namespace moeprobe {

// Computes what an expert does whose output and averaged Jacobian are known,
// with the kernels and products of every other. Internal where one comes out
// wrong: this machine, or a library on it, cannot be trusted with jobs. Takes
// less than a millisecond.
absl::Status CheckKnownExpert();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_KNOWN_EXPERT_H_
