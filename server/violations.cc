#include "server/violations.h"

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/printable.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxCount = 100;

}  // namespace

void Violations::Add(const std::string& field, const std::string& description,
                     absl::StatusCode code) {
  if (list_.size() == kMaxCount) return;
  list_.push_back({.field = field,
                   .description = PrintableLine(description),
                   .code = code});
}

absl::Status Violations::ToStatus() const {
  if (list_.empty()) return absl::OkStatus();
  absl::StatusCode code = list_.front().code;
  std::vector<std::string> lines;
  for (const Violation& violation : list_) {
    if (violation.code == absl::StatusCode::kInvalidArgument) {
      code = violation.code;
    }
    lines.push_back(absl::StrCat(violation.field, ": ", violation.description));
  }
  return {code, absl::StrJoin(lines, "; ")};
}

}  // namespace moeprobe
