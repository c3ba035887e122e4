#include "server/result_operations.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "moeprobe/v1/result_service.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/array_messages.h"
#include "server/probe_groups.h"
#include "server/resource_name.h"
#include "server/summary_rows.h"
#include "server/training_cells.h"
#include "spec/sweep_cells.h"
#include "storage/access.h"
#include "storage/job.h"
#include "storage/job_store.h"
#include "storage/result_store.h"
#include "storage/stored_rows.h"

namespace moeprobe {
namespace {

using WriteChunk = std::function<bool(const v1::ArrayChunk&)>;

// Adds what the cache knows to where the numbers of a part come from.
void Complete(const PartProvenance& part, const std::vector<JobArray>& arrays,
              v1::Provenance& provenance) {
  if (provenance.environment().empty()) {
    v1::Provenance environment;
    if (environment.ParseFromString(part.environment)) {
      *provenance.mutable_environment() = environment.environment();
    }
  }
  for (const JobArray& array : arrays) {
    if (!provenance.has_nll() && array.prefix == part.prefix &&
        array.array.name == kNllGroup && array.array.summary) {
      provenance.set_nll(array.array.summary->mean);
    }
  }
}

void AddSetting(const std::string& field, const std::string& value,
                v1::SweepCell& cell) {
  v1::SweepSetting* setting = cell.add_settings();
  setting->set_field(field);
  setting->set_value(value);
}

void AddCells(const v1::AnalyzeSpec& spec, v1::Result& result) {
  if (spec.sweep().empty()) return;
  for (const SweepCell& cell : CellsOf(spec)) {
    v1::SweepCell& message = *result.add_cells();
    message.set_prefix(cell.prefix);
    for (const auto& [field, value] : cell.settings) {
      AddSetting(field, value, message);
    }
  }
}

void AddCells(const v1::TrainSpec& spec, v1::Result& result) {
  for (const TrainedCell& cell : CellsOf(spec)) {
    v1::SweepCell& message = *result.add_cells();
    message.set_prefix(PrefixOf(cell, spec));
    AddSetting("variant", spec.variants(cell.variant).name(), message);
    AddSetting("seed", absl::StrCat(cell.seed), message);
    AddSetting("step", absl::StrCat(cell.step), message);
    if (cell.gates < 0) continue;
    AddSetting("gates", spec.variants(cell.gates).name(), message);
  }
}

// Returns the arrays with these names, in the order asked for; all of them if
// there are no names.
absl::StatusOr<std::vector<JobArray>> Select(
    std::vector<JobArray> arrays, const v1::ReadArraysRequest& request) {
  if (request.arrays().empty()) return arrays;
  std::map<std::string, const JobArray*> by_name;
  for (const JobArray& array : arrays) {
    by_name[array.prefix + array.array.name] = &array;
  }
  std::vector<JobArray> selected;
  for (const std::string& name : request.arrays()) {
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      return absl::NotFoundError(
          absl::StrCat(request.name(), " has no array ", Quoted(name)));
    }
    selected.push_back(*found->second);
  }
  return selected;
}

}  // namespace

absl::Status ResultOperations::FillProvenance(
    int64_t job, const std::vector<JobArray>& arrays, v1::Result& result) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto parts, results_->Provenance(job));
  for (const PartProvenance& part : parts) {
    v1::Provenance provenance;
    if (part.provenance.empty() ||
        !provenance.ParseFromString(part.provenance)) {
      continue;
    }
    Complete(part, arrays, provenance);
    *result.add_provenance() = std::move(provenance);
  }
  return absl::OkStatus();
}

absl::StatusOr<JobRow> ResultOperations::Find(const Viewer& user, int64_t job) {
  MOEPROBE_ASSIGN_OR_RETURN(JobRow row, jobs_->Get(user, job));
  if (row.dropped) return ResultsDropped(job, *row.dropped);
  return row;
}

absl::StatusOr<v1::Result> ResultOperations::Get(const Viewer& user,
                                                 const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t job, ParseJobName(name));
  v1::Result result;
  MOEPROBE_ASSIGN_OR_RETURN(const JobRow row, Find(user, job));
  MOEPROBE_ASSIGN_OR_RETURN(*result.mutable_job(), places_->Show(user, row));
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<JobArray> arrays,
                            results_->Arrays(job));
  for (const JobArray& array : arrays) {
    *result.add_arrays() = ToMessage(array);
  }
  AddSummary(arrays, result);
  MOEPROBE_RETURN_IF_ERROR(FillProvenance(job, arrays, result));
  MOEPROBE_RETURN_IF_ERROR(Find(user, job).status());
  if (result.job().has_train()) {
    AddCells(result.job().train(), result);
  } else {
    AddCells(result.job().analyze(), result);
  }
  return result;
}

absl::Status ResultOperations::Read(const Viewer& user,
                                    const v1::ReadArraysRequest& request,
                                    const WriteChunk& write) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t job, ParseJobName(request.name()));
  MOEPROBE_RETURN_IF_ERROR(Find(user, job).status());
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<JobArray> arrays,
                            results_->Arrays(job));
  MOEPROBE_RETURN_IF_ERROR(Find(user, job).status());
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<JobArray> selected,
                            Select(std::move(arrays), request));
  for (const JobArray& array : selected) {
    v1::ArrayChunk chunk;
    *chunk.mutable_info() = ToMessage(array);
    const absl::Status written =
        results_->ReadNpy(job, array, [&](std::string_view piece) {
          chunk.set_data(std::string(piece));
          const bool is_read = write(chunk);
          chunk.clear_info();
          return is_read ? absl::OkStatus()
                         : absl::CancelledError("the client is gone");
        });
    if (written.ok()) continue;
    // They may have been dropped since.
    MOEPROBE_RETURN_IF_ERROR(Find(user, job).status());
    return written;
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
