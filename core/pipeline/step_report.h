#ifndef MOEPROBE_CORE_PIPELINE_STEP_REPORT_H_
#define MOEPROBE_CORE_PIPELINE_STEP_REPORT_H_

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace moeprobe {

// Called with what is done next in a layer and the share of it that is done. A
// status other than OK stops the analysis.
using StepReport =
    std::function<absl::Status(const std::string& step, double share)>;

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_STEP_REPORT_H_
