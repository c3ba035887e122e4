#include "client/commands/show_curve.h"

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/commands/output_format.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/result/result_json.h"
#include "client/result/specification_curve.h"
#include "client/result/specification_text.h"
#include "client/result/step_curves.h"
#include "client/service/client.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

// How curves of a kind are written.
template <typename Curve>
struct Writers {
  std::string (*text)(const std::vector<Curve>&, int width);
  nlohmann::ordered_json (*json)(const std::vector<Curve>&);
  std::string (*csv)(const std::vector<Curve>&);
};

template <typename Curve>
void Print(Session& session, OutputFormat format,
           const std::vector<Curve>& curves, const Writers<Curve>& writers) {
  switch (format) {
    case OutputFormat::kTable:
      session.out.Print(writers.text(curves, session.out.width()));
      break;
    case OutputFormat::kJson:
      session.out.Print(JsonText(writers.json(curves)));
      break;
    case OutputFormat::kCsv:
      session.out.Print(writers.csv(curves));
      break;
  }
}

}  // namespace

absl::Status ShowCurve(Session& session, const std::string& job,
                       OutputFormat format) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Result result,
                            session.client.GetResult(name));
  const std::vector<SpecificationCurve> curves = SpecificationCurves(result);
  if (curves.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name,
                     " has no null to hold its means against: ask for nulls "
                     "(docs/request.md), as examples/specification.yaml does"));
  }
  Print<SpecificationCurve>(session, format, curves,
                            {.text = SpecificationText,
                             .json = SpecificationJson,
                             .csv = SpecificationCsv});
  return absl::OkStatus();
}

absl::Status ShowStepCurves(Session& session, const std::string& job,
                            OutputFormat format) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(job));
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Result result,
                            session.client.GetResult(name));
  const std::vector<StepCurve> curves = StepCurves(result);
  if (curves.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        name, result.job().has_train()
                  ? " has not come to a probe yet"
                  : " trained nothing: only kind: train has steps"));
  }
  Print<StepCurve>(
      session, format, curves,
      {.text = StepCurvesText, .json = StepCurvesJson, .csv = StepCurvesCsv});
  return absl::OkStatus();
}

}  // namespace moeprobe
