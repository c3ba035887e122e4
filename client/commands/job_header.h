#ifndef MOEPROBE_CLIENT_COMMANDS_JOB_HEADER_H_
#define MOEPROBE_CLIENT_COMMANDS_JOB_HEADER_H_

#include <string>

#include "client/commands/session.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

// Returns what there is to know about a job, a line each: its state, what it
// computes and of what, when it ran and its warnings, one of each kind. Asks
// the server for the names of its data sets.
std::string JobHeader(Session& session, const v1::Job& job);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_JOB_HEADER_H_
