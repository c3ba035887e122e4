#include "core/checkpoint/safetensors_header.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/header_tensor.h"
#include "core/checkpoint/safetensors_header_text.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxTensors = 1'000'000;

absl::Status CheckMetadata(const JsonValue& value) {
  if (value.object() == nullptr) {
    return absl::DataLossError(absl::StrCat(
        "__metadata__ is ", value.Description(), ", expected an object"));
  }
  for (const auto& [key, text] : *value.object()) {
    if (text.string() != nullptr) continue;
    return absl::DataLossError(absl::StrCat("__metadata__ ", Quoted(key),
                                            " is ", text.Description(),
                                            ", expected a string"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<HeaderTensor>> ParseTensors(std::string_view text) {
  std::vector<HeaderTensor> tensors;
  const auto visit = [&](const std::string& name,
                         const JsonValue& value) -> absl::Status {
    if (name == "__metadata__") return CheckMetadata(value);
    if (tensors.size() == kMaxTensors) {
      return absl::DataLossError(
          absl::StrCat("the header names more than ", kMaxTensors, " tensors"));
    }
    absl::StatusOr<HeaderTensor> tensor = ParseHeaderTensor(name, value);
    if (!tensor.ok()) {
      return WithContext(tensor.status(), "tensor " + Quoted(name));
    }
    tensors.push_back(*std::move(tensor));
    return absl::OkStatus();
  };
  const absl::Status status = ForEachJsonMember(text, visit);
  if (absl::IsInvalidArgument(status)) {
    return absl::DataLossError(absl::StrCat("header: ", status.message()));
  }
  MOEPROBE_RETURN_IF_ERROR(status);
  return tensors;
}

// OK if the tensors, sorted by offset, follow one another up to `data_bytes`.
absl::Status CheckContiguous(const std::vector<HeaderTensor>& tensors,
                             int64_t data_bytes) {
  int64_t reached = 0;
  for (const HeaderTensor& tensor : tensors) {
    if (tensor.begin != reached) {
      return absl::DataLossError(absl::StrCat(
          "tensor ", Quoted(tensor.name), ": begins at byte ", tensor.begin,
          " of the data, expected ", reached, ", where the one before ends"));
    }
    reached = tensor.end;
  }
  if (reached == data_bytes) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the header accounts for ", reached,
                                          " bytes of data, found ", data_bytes,
                                          " after it"));
}

}  // namespace

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(
    std::span<const std::byte> start, size_t file_bytes) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string_view text,
                            FindHeaderText(start, file_bytes));
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<HeaderTensor> tensors,
                            ParseTensors(text));
  std::ranges::sort(tensors, [](const HeaderTensor& a, const HeaderTensor& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  const size_t data_begin = kHeaderLengthBytes + text.size();
  MOEPROBE_RETURN_IF_ERROR(
      CheckContiguous(tensors, static_cast<int64_t>(file_bytes - data_begin)));
  return SafetensorsHeader{.tensors = std::move(tensors),
                           .data_begin = data_begin};
}

}  // namespace moeprobe
