#include "core/checkpoint/header_tensor.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/safetensors_dtype.h"

namespace moeprobe {
namespace {

constexpr size_t kMaxDimensions = 8;
constexpr size_t kMaxNameBytes = 1024;

absl::Status CheckName(const std::string& name) {
  if (name.size() > kMaxNameBytes) {
    return absl::DataLossError(absl::StrCat("has a name of ", name.size(),
                                            " bytes, expected at most ",
                                            kMaxNameBytes));
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      return absl::DataLossError("has a control character in its name");
    }
  }
  return absl::OkStatus();
}

// Numbers in [0, 2^63), as shape and data_offsets hold them.
absl::StatusOr<std::vector<int64_t>> ParseSizes(const std::string& key,
                                                const JsonValue& value) {
  if (value.array() == nullptr) {
    return absl::DataLossError(absl::StrCat(key, " is ", value.Description(),
                                            ", expected a list of integers"));
  }
  if (value.array()->size() > kMaxDimensions) {
    return absl::DataLossError(absl::StrCat(key, " is ", value.Description(),
                                            ", expected at most ",
                                            kMaxDimensions, " integers"));
  }
  std::vector<int64_t> sizes;
  for (const JsonValue& entry : *value.array()) {
    if (entry.integer() == nullptr || *entry.integer() < 0) {
      return absl::DataLossError(
          absl::StrCat(key, " holds ", entry.Description(),
                       ", expected an integer in [0, 2^63)"));
    }
    sizes.push_back(*entry.integer());
  }
  return sizes;
}

absl::Status ParseDtype(const JsonValue& value, HeaderTensor& tensor) {
  if (value.string() == nullptr) {
    return absl::DataLossError(
        absl::StrCat("dtype is ", value.Description(), ", expected a string"));
  }
  const SafetensorsDtype* dtype = FindSafetensorsDtype(*value.string());
  if (dtype == nullptr) {
    return absl::UnimplementedError(
        absl::StrCat("dtype is ", Quoted(*value.string()),
                     ", expected one that safetensors defines, such as BF16"));
  }
  tensor.dtype = dtype->name;
  return absl::OkStatus();
}

absl::Status ParseOffsets(const JsonValue& value, HeaderTensor& tensor) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<int64_t> offsets,
                            ParseSizes("data_offsets", value));
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    return absl::DataLossError(
        absl::StrCat("data_offsets are [", absl::StrJoin(offsets, ", "),
                     "], expected a begin and an end not before it"));
  }
  tensor.begin = offsets[0];
  tensor.end = offsets[1];
  return absl::OkStatus();
}

absl::Status ParseField(const std::string& key, const JsonValue& value,
                        HeaderTensor& tensor) {
  if (key == "dtype") return ParseDtype(value, tensor);
  if (key == "data_offsets") return ParseOffsets(value, tensor);
  if (key == "shape") {
    MOEPROBE_ASSIGN_OR_RETURN(tensor.shape, ParseSizes(key, value));
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "has the key ", Quoted(key), ", expected dtype, shape and data_offsets"));
}

// OK if the bytes between the offsets are what shape and dtype need.
absl::Status CheckSpan(const HeaderTensor& tensor) {
  const auto& [name, dtype, shape, begin, end] = tensor;
  int64_t bits = FindSafetensorsDtype(dtype)->bits;
  for (const int64_t size : shape) {
    if (__builtin_mul_overflow(bits, size, &bits)) {
      return absl::DataLossError(
          absl::StrCat("shape [", absl::StrJoin(shape, ", "), "] of ",
                       std::string(dtype), " needs more than 2^63 bits"));
    }
  }
  if (bits % 8 != 0) {
    return absl::DataLossError(
        absl::StrCat("shape [", absl::StrJoin(shape, ", "), "] of ",
                     std::string(dtype), " does not fill whole bytes"));
  }
  if (end - begin == bits / 8) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("data_offsets span ", end - begin, " bytes, shape [",
                   absl::StrJoin(shape, ", "), "] of ", std::string(dtype),
                   " needs ", bits / 8));
}

}  // namespace

absl::StatusOr<HeaderTensor> ParseHeaderTensor(const std::string& name,
                                               const JsonValue& value) {
  MOEPROBE_RETURN_IF_ERROR(CheckName(name));
  if (value.object() == nullptr || value.object()->size() != 3) {
    return absl::DataLossError(
        absl::StrCat("is ", value.Description(),
                     ", expected an object of dtype, shape and data_offsets"));
  }
  HeaderTensor tensor;
  tensor.name = name;
  for (const auto& [key, field] : *value.object()) {
    MOEPROBE_RETURN_IF_ERROR(ParseField(key, field, tensor));
  }
  MOEPROBE_RETURN_IF_ERROR(CheckSpan(tensor));
  return tensor;
}

}  // namespace moeprobe
