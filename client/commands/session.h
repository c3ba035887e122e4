#ifndef MOEPROBE_CLIENT_COMMANDS_SESSION_H_
#define MOEPROBE_CLIENT_COMMANDS_SESSION_H_

#include <string>

#include "absl/status/statusor.h"
#include "client/commands/screen.h"
#include "client/service/cancellation.h"
#include "client/service/client.h"

namespace moeprobe {

// What every command works with. Refers to parts that outlive it.
struct Session {
  Client& client;
  Cancellation& cancellation;
  Screen& out;          // results
  Screen& err;          // everything else
  std::string program;  // how to call this program again, options included
};

// Returns "jobs/17" for "17" or "jobs/17"; InvalidArgument for anything else.
absl::StatusOr<std::string> JobName(const std::string& job);

// Returns "17" for "jobs/17".
std::string JobId(const std::string& name);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_SESSION_H_
