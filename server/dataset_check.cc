#include "server/dataset_check.h"

#include <string>
#include <string_view>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "core/base/quoted.h"
#include "core/base/utf8.h"
#include "moeprobe/v1/dataset_service.pb.h"

namespace moeprobe {
namespace {

std::variant<Utf8Check, TokenIdCheck> CheckOf(const v1::Dataset& announced) {
  if (announced.kind() == v1::Dataset::KIND_TEXT) return Utf8Check();
  return TokenIdCheck(announced.size_bytes());
}

// What is wrong; nothing where all is well.
std::string ProblemOf(const Utf8Check& text) {
  const auto position = text.FindInvalid();
  if (!position) return "";
  return absl::StrCat("byte ", *position, " is not UTF-8, expected a text");
}

std::string ProblemOf(TokenIdCheck& ids) {
  const auto found = ids.End();
  if (!found.ok()) return std::string(found.status().message());
  return found->count == 0 ? "no token ids in it" : "";
}

}  // namespace

DatasetCheck::DatasetCheck(const v1::Dataset& announced)
    : display_name_(announced.display_name()), content_(CheckOf(announced)) {}

void DatasetCheck::Append(std::string_view piece) {
  std::visit([&](auto& content) { content.Append(piece); }, content_);
}

absl::Status DatasetCheck::End() {
  const std::string problem =
      std::visit([](auto& content) { return ProblemOf(content); }, content_);
  if (problem.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(display_name_), ": ", problem));
}

}  // namespace moeprobe
