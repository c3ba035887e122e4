#ifndef MOEPROBE_CLIENT_COMMANDS_SHOW_CURVE_H_
#define MOEPROBE_CLIENT_COMMANDS_SHOW_CURVE_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/output_format.h"
#include "client/commands/session.h"

namespace moeprobe {

// The command `curve JOB`: each claim under every convention, weighting, null,
// layer and cell that the job has. FailedPrecondition if it has no null.
absl::Status ShowCurve(Session& session, const std::string& job,
                       OutputFormat format);

// The command `curve JOB --over step`: every quantity over the steps of
// training, also while it goes on. FailedPrecondition if nothing was trained.
absl::Status ShowStepCurves(Session& session, const std::string& job,
                            OutputFormat format);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_SHOW_CURVE_H_
