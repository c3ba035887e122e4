#include "server/priority.h"

#include "absl/status/status.h"
#include "moeprobe/v1/job.pb.h"
#include "server/choice.h"
#include "server/violations.h"
#include "storage/access.h"
#include "storage/job.h"

namespace moeprobe {

JobPriority ResolvePriority(const Viewer& user, v1::Job::Priority priority,
                            Violations& violations) {
  if (priority != v1::Job::PRIORITY_UNSPECIFIED) {
    CheckChoice(priority, "priority", violations);
  }
  if (priority == v1::Job::PRIORITY_LOW) return JobPriority::kLow;
  if (priority != v1::Job::PRIORITY_HIGH) return JobPriority::kNormal;
  if (!user.is_admin) {
    violations.Add("priority", "high is for admins, expected low or normal",
                   absl::StatusCode::kPermissionDenied);
  }
  return JobPriority::kHigh;
}

v1::Job::Priority ToMessage(JobPriority priority) {
  switch (priority) {
    case JobPriority::kLow:
      return v1::Job::PRIORITY_LOW;
    case JobPriority::kNormal:
      return v1::Job::PRIORITY_NORMAL;
    case JobPriority::kHigh:
      return v1::Job::PRIORITY_HIGH;
  }
  return v1::Job::PRIORITY_UNSPECIFIED;
}

}  // namespace moeprobe
