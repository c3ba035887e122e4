#include "client/commands/compare.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/commands/output_format.h"
#include "client/commands/session.h"
#include "client/request/job_spec.h"
#include "client/result/compared_side.h"
#include "client/result/comparison.h"
#include "client/result/comparison_text.h"
#include "client/result/number_reader.h"
#include "client/result/result_json.h"
#include "core/base/printable.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

constexpr int kWidestTable = 100;

absl::StatusOr<ComparedResult> Read(Session& session, const std::string& text) {
  MOEPROBE_ASSIGN_OR_RETURN(const ComparedSide side, ParseComparedSide(text));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(side.job));
  ComparedResult compared{.result = {}, .part = side.part, .layer = side.layer};
  MOEPROBE_ASSIGN_OR_RETURN(compared.result, session.client.GetResult(name));
  MOEPROBE_ASSIGN_OR_RETURN(
      compared.draws,
      ReadNumbers(session.client, name, ArraysOfDraws(compared.result)));
  return compared;
}

std::string Line(const std::string& sign, const std::string& asked,
                 const ComparedResult& side) {
  const std::string& label = LabelOf(side.result.job());
  return PrintableLine(absl::StrCat(
             sign, ": ", asked, ", ", SubjectOf(side.result.job()),
             label.empty() ? "" : absl::StrCat(" (", label, ")"))) +
         "\n";
}

// How the intervals were made.
std::string Caption(const std::vector<ComparedMeans>& means) {
  const auto drawn = [](const ComparedMeans& one) {
    return one.difference.p.has_value();
  };
  const auto paired = [](const ComparedMeans& one) {
    return one.difference.paired;
  };
  if (std::ranges::none_of(means, drawn)) {
    return "No intervals: one side at least has no bootstrap draws (nulls).\n";
  }
  if (std::ranges::any_of(means, paired)) {
    return "95 % intervals and two-sided p: the same windows resampled on both "
           "sides.\n";
  }
  return "95 % intervals and two-sided p: other windows, seeds or numbers of "
         "draws on either side,\nwhich are taken for independent.\n";
}

}  // namespace

absl::Status Compare(Session& session, const std::string& a,
                     const std::string& b, OutputFormat format) {
  MOEPROBE_ASSIGN_OR_RETURN(const ComparedResult side_a, Read(session, a));
  MOEPROBE_ASSIGN_OR_RETURN(const ComparedResult side_b, Read(session, b));
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<ComparedMeans> means,
                            CompareResults(side_a, side_b));
  if (format == OutputFormat::kJson) {
    session.out.Print(JsonText(ComparisonJson(means)));
  } else if (format == OutputFormat::kCsv) {
    session.out.Print(ComparisonCsv(means));
  } else {
    session.out.Print(absl::StrCat(
        Line("a", a, side_a), Line("b", b, side_b), "\n",
        ComparisonTable(means, std::min(session.out.width(), kWidestTable)),
        "\n", Caption(means)));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
