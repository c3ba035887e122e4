#ifndef MOEPROBE_CLIENT_COMMANDS_FETCH_FILES_H_
#define MOEPROBE_CLIENT_COMMANDS_FETCH_FILES_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// The command `fetch JOB --out DIR`: writes the result files, and says so if
// the job has more to come.
absl::Status FetchFiles(Session& session, const std::string& job,
                        const std::string& directory);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_FETCH_FILES_H_
