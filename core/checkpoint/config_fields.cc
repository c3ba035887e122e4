#include "core/checkpoint/config_fields.h"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"

namespace moeprobe {
namespace {

std::string Interval(int64_t minimum, int64_t maximum) {
  return absl::StrCat("in [", minimum, ", ", maximum, "]");
}

bool IsIn(const JsonValue& value, int64_t minimum, int64_t maximum) {
  return value.integer() != nullptr && *value.integer() >= minimum &&
         *value.integer() <= maximum;
}

}  // namespace

const JsonValue* ConfigFields::Find(std::string_view key) const {
  const JsonValue* value = FindMember(object_, key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

bool ConfigFields::States(std::string_view key) const {
  return FindMember(object_, key) != nullptr;
}

absl::StatusOr<int64_t> ConfigFields::Integer(std::string_view key,
                                              int64_t minimum,
                                              int64_t maximum) const {
  const JsonValue* value = Find(key);
  if (value == nullptr || !IsIn(*value, minimum, maximum)) {
    return Error(key, "an integer " + Interval(minimum, maximum));
  }
  return *value->integer();
}

absl::StatusOr<std::optional<int64_t>> ConfigFields::OptionalInteger(
    std::string_view key, int64_t minimum, int64_t maximum) const {
  if (Find(key) == nullptr) return std::nullopt;
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t value,
                            Integer(key, minimum, maximum));
  return value;
}

absl::StatusOr<std::vector<int64_t>> ConfigFields::IntegersOrNone(
    std::string_view key, int64_t minimum, int64_t maximum) const {
  const JsonValue* value = Find(key);
  if (value == nullptr) return std::vector<int64_t>();
  const std::string expected =
      "a list of integers " + Interval(minimum, maximum);
  if (value->array() == nullptr) return Error(key, expected);
  std::vector<int64_t> integers;
  for (const JsonValue& entry : *value->array()) {
    if (!IsIn(entry, minimum, maximum)) {
      return absl::InvalidArgumentError(
          absl::StrCat("key ", Quoted(prefix_ + std::string(key)), " holds ",
                       entry.Description(), ", expected ", expected));
    }
    integers.push_back(*entry.integer());
  }
  return integers;
}

absl::StatusOr<double> ConfigFields::PositiveNumber(
    std::string_view key) const {
  const JsonValue* value = Find(key);
  const std::optional<double> number =
      value == nullptr ? std::nullopt : value->number();
  if (!number || !std::isfinite(*number) || *number <= 0) {
    return Error(key, "a number above 0");
  }
  return *number;
}

absl::StatusOr<std::optional<double>> ConfigFields::OptionalPositiveNumber(
    std::string_view key) const {
  if (Find(key) == nullptr) return std::nullopt;
  MOEPROBE_ASSIGN_OR_RETURN(const double value, PositiveNumber(key));
  return value;
}

absl::StatusOr<bool> ConfigFields::Boolean(std::string_view key) const {
  const JsonValue* value = Find(key);
  if (value == nullptr || value->boolean() == nullptr) {
    return Error(key, "true or false");
  }
  return *value->boolean();
}

absl::StatusOr<bool> ConfigFields::BooleanOr(std::string_view key,
                                             bool absent) const {
  if (Find(key) == nullptr) return absent;
  return Boolean(key);
}

absl::StatusOr<std::string> ConfigFields::String(std::string_view key) const {
  const JsonValue* value = Find(key);
  if (value == nullptr || value->string() == nullptr) {
    return Error(key, "a string");
  }
  return *value->string();
}

absl::Status ConfigFields::Error(std::string_view key,
                                 const std::string& expected) const {
  const JsonValue* value = FindMember(object_, key);
  return absl::InvalidArgumentError(
      absl::StrCat("key ", Quoted(prefix_ + std::string(key)), " is ",
                   value == nullptr ? "missing" : value->Description(),
                   ", expected ", expected));
}

}  // namespace moeprobe
