#include "core/base/json_value.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"

namespace moeprobe {

// Out of line: JsonMember is not complete inside JsonValue.
JsonValue::JsonValue() = default;
JsonValue::JsonValue(Content content) : content_(std::move(content)) {}
JsonValue::~JsonValue() = default;
JsonValue::JsonValue(const JsonValue& other) = default;
JsonValue::JsonValue(JsonValue&& other) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue& other) = default;
JsonValue& JsonValue::operator=(JsonValue&& other) noexcept = default;

bool JsonValue::is_null() const {
  return std::holds_alternative<std::nullptr_t>(content_);
}

const bool* JsonValue::boolean() const { return std::get_if<bool>(&content_); }

const int64_t* JsonValue::integer() const {
  return std::get_if<int64_t>(&content_);
}

const std::string* JsonValue::string() const {
  return std::get_if<std::string>(&content_);
}

const JsonArray* JsonValue::array() const {
  return std::get_if<JsonArray>(&content_);
}

const JsonObject* JsonValue::object() const {
  return std::get_if<JsonObject>(&content_);
}

std::optional<double> JsonValue::number() const {
  if (integer() != nullptr) return static_cast<double>(*integer());
  const auto* number = std::get_if<JsonNumber>(&content_);
  return number == nullptr ? std::nullopt : std::optional(number->value);
}

std::string JsonValue::Description() const {
  if (is_null()) return "null";
  if (boolean() != nullptr) return *boolean() ? "true" : "false";
  if (integer() != nullptr) return absl::StrCat(*integer());
  if (string() != nullptr) return "the string " + Quoted(*string());
  if (array() != nullptr) return absl::StrCat("a list of ", array()->size());
  if (object() != nullptr) return "an object";
  // A number may be written with a million digits.
  return std::get<JsonNumber>(content_).text.substr(0, 40);
}

const JsonValue* FindMember(const JsonObject& object, std::string_view key) {
  for (const JsonMember& member : object) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

}  // namespace moeprobe
