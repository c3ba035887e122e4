#include "core/checkpoint/rope_config.h"

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "core/base/strict_json.h"
#include "core/checkpoint/config_fields.h"
#include "core/checkpoint/model_family.h"

namespace moeprobe {
namespace {

absl::Status RefusePartialRotation(const ConfigFields& fields) {
  constexpr std::string_view kKey = "partial_rotary_factor";
  MOEPROBE_ASSIGN_OR_RETURN(const std::optional<double> stated,
                            fields.OptionalPositiveNumber(kKey));
  const double factor = stated.value_or(1);
  if (factor == 1) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("key \"partial_rotary_factor\" is ", factor,
                   ", expected 1: partial rotation is not supported"));
}

// Type default, spelt as transformers 4.43 and newer do, or as before.
absl::Status RefuseScaling(const ConfigFields& fields, std::string_view key) {
  std::string type = "default";
  for (const std::string_view type_key : {"rope_type", "type"}) {
    if (fields.Find(type_key) == nullptr) continue;
    MOEPROBE_ASSIGN_OR_RETURN(type, fields.String(type_key));
    break;
  }
  if (type == "default") return RefusePartialRotation(fields);
  return absl::UnimplementedError(
      absl::StrCat("key ", Quoted(key), " asks for rope type ", Quoted(type),
                   ", expected default: rope scaling is not supported"));
}

// Theta of the object at `key`; nullopt if there is no such key or theta.
absl::StatusOr<std::optional<double>> ThetaIn(const ConfigFields& fields,
                                              std::string_view key) {
  const JsonValue* value = fields.Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->object() == nullptr) return fields.Error(key, "an object or null");
  for (const JsonMember& member : *value->object()) {
    if (member.value.object() == nullptr) continue;
    return absl::UnimplementedError(
        absl::StrCat("key ", Quoted(key), " holds parameters for ",
                     Quoted(member.key), ", expected one set for all layers"));
  }
  const ConfigFields nested(*value->object(),
                            absl::StrCat(std::string(key), "."));
  MOEPROBE_RETURN_IF_ERROR(RefuseScaling(nested, key));
  return nested.OptionalPositiveNumber("rope_theta");
}

}  // namespace

absl::StatusOr<double> ParseRopeTheta(const ConfigFields& fields,
                                      const ModelFamily& family) {
  MOEPROBE_RETURN_IF_ERROR(RefusePartialRotation(fields));
  for (const std::string_view key : {"rope_scaling", "rope_parameters"}) {
    MOEPROBE_ASSIGN_OR_RETURN(const std::optional<double> theta,
                              ThetaIn(fields, key));
    if (theta) return *theta;
  }
  if (!fields.States("rope_theta") && family.default_rope_theta) {
    return *family.default_rope_theta;
  }
  return fields.PositiveNumber("rope_theta");
}

}  // namespace moeprobe
