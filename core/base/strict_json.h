#ifndef MOEPROBE_CORE_BASE_STRICT_JSON_H_
#define MOEPROBE_CORE_BASE_STRICT_JSON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

class JsonValue;
struct JsonMember;
using JsonArray = std::vector<JsonValue>;
using JsonObject = std::vector<JsonMember>;  // in the order of the text

// A number that is not an integer of 64 bits: 1.0, 1e3, -0 or 2^63.
struct JsonNumber {
  double value = 0;
  std::string text;  // as written
};

// A JSON value. Each accessor returns nullptr if the value is something else.
class JsonValue {
 public:
  using Content = std::variant<std::nullptr_t, bool, int64_t, JsonNumber,
                               std::string, JsonArray, JsonObject>;

  JsonValue();  // null
  explicit JsonValue(Content content);
  ~JsonValue();
  JsonValue(const JsonValue& other);
  JsonValue(JsonValue&& other) noexcept;
  JsonValue& operator=(const JsonValue& other);
  JsonValue& operator=(JsonValue&& other) noexcept;

  bool is_null() const;
  const bool* boolean() const;
  // Numbers written as integers only.
  const int64_t* integer() const;
  const std::string* string() const;
  const JsonArray* array() const;
  const JsonObject* object() const;
  // Any number.
  std::optional<double> number() const;

  // What the value is, for "found ...": `the string "8"`, `null`, `1e3`.
  std::string Description() const;

  Content& content() { return content_; }

 private:
  Content content_;
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

// Returns the value of `key`; nullptr if there is none.
const JsonValue* FindMember(const JsonObject& object, std::string_view key);

// Receives one member of the outermost object.
using JsonMemberVisitor =
    absl::FunctionRef<absl::Status(const std::string& key, JsonValue value)>;

// Reads a JSON text that is one object and hands its members on one by one, so
// that a large text is never in memory as a whole. Duplicate keys are found out
// only at an object's end: what was handed on counts if OK is returned.
//
// Stricter than RFC 8259 where readers disagree: duplicate keys, a byte order
// mark, invalid UTF-8, NaN and Infinity, numbers beyond double, bytes after the
// object (also after a NUL), more than 32 levels and more than 2^18 values in
// one member are errors. White space in front is accepted.
//
// Returns InvalidArgument that says where and what, in one line; or the first
// error of `visit`.
absl::Status ForEachJsonMember(std::string_view text, JsonMemberVisitor visit);

// Reads a whole object, as strictly.
absl::StatusOr<JsonObject> ParseJsonObject(std::string_view text);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_STRICT_JSON_H_
