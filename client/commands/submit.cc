#include "client/commands/submit.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "client/commands/local_data.h"
#include "client/commands/session.h"
#include "client/commands/watch.h"
#include "client/request/request_reader.h"
#include "client/request/request_writer.h"
#include "client/service/client.h"
#include "client/service/request_id.h"
#include "client/text/format.h"
#include "core/base/printable.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/job_service.pb.h"

namespace moeprobe {
namespace {

// One byte more than a request may have, so that too large is seen.
constexpr size_t kMostBytes = (size_t{1} << 20U) + 1;

absl::StatusOr<Request> ReadFile(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(kMostBytes, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!stream.is_open() || stream.bad() ||
      std::filesystem::is_directory(file)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot read ", file, ", expected a request file"));
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  return ReadRequest(text, file);
}

void Warn(Session& session, const std::string& warning) {
  session.err.Print(absl::StrCat("warning: ", PrintableLine(warning), "\n"));
}

// Everything that is wrong with a request, each with its place in the file.
absl::Status Located(const Request& request,
                     const v1::ValidateJobResponse& response) {
  std::string lines;
  for (const v1::FieldViolation& violation : response.violations()) {
    const absl::Status error =
        request.ErrorAt(violation.field(), violation.description());
    absl::StrAppend(&lines, lines.empty() ? "" : "\n",
                    std::string(error.message()));
  }
  return absl::InvalidArgumentError(lines);
}

// Takes out what is only wrong because a file is not uploaded yet.
void ForgiveMissingUploads(Session& session,
                           const std::vector<LocalData>& local,
                           v1::ValidateJobResponse& response) {
  auto& violations = *response.mutable_violations();
  for (const LocalData& data : local) {
    const auto forgiven = std::ranges::remove_if(
        violations,
        [&](const v1::FieldViolation& v) { return v.field() == data.field; });
    if (forgiven.empty()) continue;
    violations.erase(forgiven.begin(), forgiven.end());
    session.err.Print(
        absl::StrCat(data.field, ": would upload ", data.path.string(), " (",
                     FormatBytes(data.dataset.size_bytes()), ")\n"));
  }
}

std::string EstimateText(const v1::Estimate& estimate, bool trains) {
  const std::string cached =
      absl::StrCat(estimate.cached_group_count(), " of ",
                   estimate.group_count(), " probe groups are there already");
  if (estimate.cached_group_count() == estimate.group_count()) {
    return absl::StrCat("nothing to compute, ", cached);
  }
  return absl::StrCat(FormatClock(absl::Seconds(std::ceil(estimate.seconds()))),
                      ", ", FormatBytes(estimate.peak_memory_bytes()),
                      " of memory, reads ",
                      FormatBytes(estimate.disk_read_bytes()), ", keeps ",
                      FormatBytes(estimate.disk_write_bytes()), " of ",
                      trains ? "models" : "hidden states", "; ", cached);
}

absl::Status DryRun(Session& session, const Request& request,
                    const std::vector<LocalData>& local) {
  MOEPROBE_ASSIGN_OR_RETURN(v1::ValidateJobResponse response,
                            session.client.ValidateJob(request.job));
  for (const std::string& warning : response.warnings()) Warn(session, warning);
  ForgiveMissingUploads(session, local, response);
  if (response.violations_size() > 0) return Located(request, response);
  if (response.has_estimate()) {
    session.err.Print(absl::StrCat(
        "estimate: ",
        EstimateText(response.estimate(), request.job.has_train()), "\n"));
  }
  session.out.Print(
      RequestYaml(response.has_job() ? response.job() : request.job));
  return absl::OkStatus();
}

absl::Status UploadAll(Session& session, const std::vector<LocalData>& local) {
  const auto show = [&](const LocalData& data, int64_t done) {
    session.err.Draw(absl::StrCat("uploading ", data.path.filename().string(),
                                  ": ", FormatBytes(done), " of ",
                                  FormatBytes(data.dataset.size_bytes())));
  };
  for (const LocalData& data : local) {
    const absl::Status uploaded = UploadOnce(session.client, data, show);
    session.err.Erase();
    MOEPROBE_RETURN_IF_ERROR(uploaded);
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Job> Create(Session& session, const Request& request) {
  absl::StatusOr<v1::Job> job =
      session.client.CreateJob(request.job, NewRequestId());
  if (!absl::IsInvalidArgument(job.status())) return job;
  // The error lists the violations without their places.
  const auto response = session.client.ValidateJob(request.job);
  if (!response.ok() || response->violations_size() == 0) return job;
  return Located(request, *response);
}

}  // namespace

absl::Status Submit(Session& session, const SubmitOptions& options) {
  MOEPROBE_ASSIGN_OR_RETURN(Request request, ReadFile(options.file));
  const auto directory = std::filesystem::path(options.file).parent_path();
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<LocalData> local,
                            FindLocalData(request, directory));
  if (options.dry_run) return DryRun(session, request, local);
  MOEPROBE_RETURN_IF_ERROR(UploadAll(session, local));
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Job job, Create(session, request));
  session.out.Print(absl::StrCat(JobId(job.name()), "\n"));
  if (options.wait) return Follow(session, session.err, job.name());
  for (const std::string& warning : job.warnings()) Warn(session, warning);
  return absl::OkStatus();
}

}  // namespace moeprobe
