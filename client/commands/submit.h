#ifndef MOEPROBE_CLIENT_COMMANDS_SUBMIT_H_
#define MOEPROBE_CLIENT_COMMANDS_SUBMIT_H_

#include <string>

#include "absl/status/status.h"
#include "client/commands/session.h"

namespace moeprobe {

// The arguments of `submit`.
struct SubmitOptions {
  std::string file;
  bool wait = false;
  bool dry_run = false;
};

// Reads a request, uploads the files it names, creates the job and prints its
// id; with `wait`, follows it to its end. With `dry_run`, only prints the
// request as the server would resolve it.
//
// Returns InvalidArgument for a request that is wrong; every violation is a
// line of its message.
absl::Status Submit(Session& session, const SubmitOptions& options);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_SUBMIT_H_
