#include "client/commands/change_job.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/commands/session.h"
#include "client/result/result_json.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"

namespace moeprobe {

absl::Status CancelJob(Session& session, const std::string& job) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Job cancelled,
                            session.client.CancelJob(name));
  session.out.Print(absl::StrCat("job ", JobId(name), ": ",
                                 StateName(cancelled.state()), "\n"));
  return absl::OkStatus();
}

absl::Status KeepJob(Session& session, const std::string& job) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  MOEPROBE_RETURN_IF_ERROR(session.client.KeepJob(name).status());
  session.out.Print(absl::StrCat("job ", JobId(name), ": kept\n"));
  return absl::OkStatus();
}

absl::Status UnkeepJob(Session& session, const std::string& job) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  MOEPROBE_RETURN_IF_ERROR(session.client.UnkeepJob(name).status());
  session.out.Print(absl::StrCat("job ", JobId(name), ": no longer kept\n"));
  return absl::OkStatus();
}

absl::Status DeleteJob(Session& session, const std::string& job) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  MOEPROBE_RETURN_IF_ERROR(session.client.DeleteJob(name));
  session.out.Print(absl::StrCat("job ", JobId(name), ": deleted\n"));
  return absl::OkStatus();
}

}  // namespace moeprobe
