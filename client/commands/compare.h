#ifndef MOEPROBE_CLIENT_COMMANDS_COMPARE_H_
#define MOEPROBE_CLIENT_COMMANDS_COMPARE_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/output_format.h"
#include "client/commands/session.h"

namespace moeprobe {

// Prints how the means of `b` differ from those of `a`; each is a job, or a
// part or layer of one, as ParseComparedSide reads it.
absl::Status Compare(Session& session, const std::string& a,
                     const std::string& b, OutputFormat format);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_COMPARE_H_
