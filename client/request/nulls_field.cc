#include "client/request/nulls_field.h"

#include <cstdint>

#include "absl/status/status.h"
#include "client/request/message_fields.h"
#include "client/request/value.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {
namespace {

constexpr int64_t kMostDraws = 9999;

absl::Status ReadRandomWeights(const Value& value, v1::NullSpec& nulls) {
  MOEPROBE_ASSIGN_OR_RETURN(const int64_t draws, value.Integer(0, kMostDraws));
  if (draws > 0) {
    return value.Error(
        "random weights are not supported by this version, expected 0");
  }
  nulls.set_random_weights(0);
  return absl::OkStatus();
}

absl::Status ReadNulls(const Value& value, v1::NullSpec& nulls) {
  return value.Fields(
      {IntegerField("random_router", nulls, 0, kMostDraws),
       IntegerField("permutations", nulls, 0, kMostDraws),
       {"random_weights",
        [&](const Value& draws) { return ReadRandomWeights(draws, nulls); }},
       IntegerField("bootstrap", nulls, 0, kMostDraws),
       BooleanField("keep_draws", nulls)});
}

}  // namespace

Field NullsField(v1::AnalyzeSpec& spec) {
  return {"nulls", [&spec](const Value& value) {
            return ReadNulls(value, *spec.mutable_nulls());
          }};
}

}  // namespace moeprobe
