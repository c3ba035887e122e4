#include "client/commands/job_header.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/commands/job_text.h"
#include "client/commands/session.h"
#include "client/commands/training_text.h"
#include "client/request/job_spec.h"
#include "core/base/printable.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

std::string Line(const std::string& key, const std::string& value) {
  return value.empty()
             ? ""
             : absl::StrFormat("  %-10s%s\n", key, PrintableLine(value));
}

// The file name of a data set, which its digest says little of.
std::string DisplayName(Session& session, const std::string& name) {
  const auto dataset = session.client.GetDataset(name);
  return dataset.ok() ? absl::StrCat(dataset->display_name(), ", ") : "";
}

std::string AnalysisLines(Session& session, const v1::AnalyzeSpec& spec) {
  std::string text = absl::StrCat(Line("model", spec.model()),
                                  Line("baseline", spec.baseline()));
  for (const v1::DataSpec& data : spec.data()) {
    const std::string& name = data.has_text() ? data.text() : data.ids();
    absl::StrAppend(&text, Line("data", absl::StrCat(DisplayName(session, name),
                                                     DataText(data))));
  }
  if (spec.has_routing()) {
    absl::StrAppend(&text, Line("routing", RoutingText(spec.routing())));
  }
  for (const v1::SweepAxis& axis : spec.sweep()) {
    absl::StrAppend(&text, Line("sweep", SweepText(axis)));
  }
  return text;
}

std::string DataLine(Session& session, const v1::TrainingData& data) {
  if (data.has_synthetic()) return TrainingDataText(data);
  const std::string& name = data.has_text() ? data.text() : data.ids();
  return absl::StrCat(DisplayName(session, name), TrainingDataText(data));
}

std::string TrainingLines(Session& session, const v1::TrainSpec& spec) {
  std::string text;
  for (const v1::Variant& variant : spec.variants()) {
    absl::StrAppend(&text, Line("variant", VariantText(variant)));
  }
  absl::StrAppend(&text, Line("seeds", absl::StrJoin(spec.seeds(), ", ")),
                  Line("model", ShapeText(spec.model())),
                  Line("data", DataLine(session, spec.data())),
                  Line("training", OptimizerText(spec)),
                  Line("probes", TrainingProbeText(spec)),
                  Line("swapped", absl::StrJoin(spec.swap_routing(), ", ")));
  return text;
}

// What a warning says, wherever it is so: without the prefix of its part and
// without numbers.
std::string Kind(const std::string& warning) {
  std::string kind = warning.substr(warning.find("/: ") + 1);
  std::erase_if(kind, [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return kind;
}

// One line for all warnings of a kind: an experiment has many parts.
std::string WarningLines(const v1::Job& job) {
  std::map<std::string, int> counts;
  for (const std::string& warning : job.warnings()) ++counts[Kind(warning)];
  std::string text;
  for (const std::string& warning : job.warnings()) {
    const int count = std::exchange(counts[Kind(warning)], 0);
    if (count == 0) continue;
    absl::StrAppend(
        &text,
        Line("warning", count == 1 ? warning
                                   : absl::StrCat(warning, " (and ", count - 1,
                                                  " like it: show --json)")));
  }
  return text;
}

}  // namespace

std::string JobHeader(Session& session, const v1::Job& job) {
  std::string text =
      absl::StrCat("job ", JobId(job.name()), ": ", StateText(job), "\n");
  absl::StrAppend(
      &text, Line("error", job.error().message()),
      Line("waits for", MemoryWaitText(job)), Line("name", LabelOf(job)),
      job.has_train() ? TrainingLines(session, job.train())
                      : AnalysisLines(session, job.analyze()),
      Line("owner", OwnerText(job)), Line("priority", PriorityText(job)),
      Line("shared", absl::StrJoin(job.shared_with(), ", ")),
      Line("results", RetentionText(job)), Line("created", CreatedText(job)),
      Line("took", DurationText(job)));
  return text + WarningLines(job);
}

}  // namespace moeprobe
