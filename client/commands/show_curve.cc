#include "client/commands/show_curve.h"

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
#include "client/service/client.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

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
  switch (format) {
    case OutputFormat::kTable:
      session.out.Print(SpecificationText(curves, session.out.width()));
      break;
    case OutputFormat::kJson:
      session.out.Print(JsonText(SpecificationJson(curves)));
      break;
    case OutputFormat::kCsv:
      session.out.Print(SpecificationCsv(curves));
      break;
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
