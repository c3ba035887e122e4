#include "client/commands/fetch_files.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/commands/session.h"
#include "client/result/fetch.h"
#include "client/result/result_json.h"
#include "client/text/format.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

absl::Status FetchFiles(Session& session, const std::string& job,
                        const std::string& directory) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  const auto show = [&](int64_t done, int64_t total) {
    session.err.Draw(absl::StrCat("fetching: ", FormatBytes(done), " of ",
                                  FormatBytes(total)));
  };
  const absl::StatusOr<v1::Result> result =
      FetchResult(session.client, name, directory, show);
  session.err.Erase();
  if (!result.ok()) return result.status();
  const v1::Job::State state = result->job().state();
  if (state != v1::Job::STATE_SUCCEEDED) {
    session.err.Print(absl::StrCat(
        "job ", JobId(name), " is ", StateName(state), ": the files hold ",
        result->job().progress().layers_done_count(), " of ",
        result->job().progress().layer_count(), " layers\n"));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
