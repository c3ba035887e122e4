#ifndef MOEPROBE_CORE_CHECKPOINT_CONFIG_FIELDS_H_
#define MOEPROBE_CORE_CHECKPOINT_CONFIG_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/strict_json.h"

namespace moeprobe {

// The keys of a config.json, or of an object in it, by type. A key whose value
// is null counts as absent, as in transformers.
//
// Every error is InvalidArgument and names the key, what it is and what was
// expected.
class ConfigFields {
 public:
  // Messages call a key `prefix` + key. `object` must outlive this.
  explicit ConfigFields(const JsonObject& object, std::string prefix = "")
      : object_(object), prefix_(std::move(prefix)) {}

  // The value; nullptr if it is absent or null.
  const JsonValue* Find(std::string_view key) const;

  // Whether the key is there, be it null.
  bool States(std::string_view key) const;

  // Integers in [minimum, maximum].
  absl::StatusOr<int64_t> Integer(std::string_view key, int64_t minimum,
                                  int64_t maximum) const;
  absl::StatusOr<std::optional<int64_t>> OptionalInteger(std::string_view key,
                                                         int64_t minimum,
                                                         int64_t maximum) const;
  absl::StatusOr<std::vector<int64_t>> IntegersOrNone(std::string_view key,
                                                      int64_t minimum,
                                                      int64_t maximum) const;

  // Finite numbers above 0.
  absl::StatusOr<double> PositiveNumber(std::string_view key) const;
  absl::StatusOr<std::optional<double>> OptionalPositiveNumber(
      std::string_view key) const;

  absl::StatusOr<bool> Boolean(std::string_view key) const;
  absl::StatusOr<bool> BooleanOr(std::string_view key, bool absent) const;
  absl::StatusOr<std::string> String(std::string_view key) const;

  // `key "num_experts" is 0, expected an integer in [1, 16384]`.
  absl::Status Error(std::string_view key, const std::string& expected) const;

 private:
  const JsonObject& object_;
  std::string prefix_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_CHECKPOINT_CONFIG_FIELDS_H_
