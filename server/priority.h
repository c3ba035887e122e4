#ifndef MOEPROBE_SERVER_PRIORITY_H_
#define MOEPROBE_SERVER_PRIORITY_H_

#include "moeprobe/v1/job.pb.h"
#include "server/violations.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {

// Returns the priority that a request of `user` asks for, or adds what is wrong
// to `violations`: high priority is for admins.
JobPriority ResolvePriority(const Viewer& user, v1::Job::Priority priority,
                            Violations& violations);

v1::Job::Priority ToMessage(JobPriority priority);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_PRIORITY_H_
