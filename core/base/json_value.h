#ifndef MOEPROBE_CORE_BASE_JSON_VALUE_H_
#define MOEPROBE_CORE_BASE_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

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

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_JSON_VALUE_H_
