#include "client/request/nulls_reader.h"

#include <cstdint>

#include "absl/status/status.h"
#include "client/request/message_fields.h"
#include "client/request/value.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

absl::Status ReadNulls(const Value& value, v1::NullSpec& nulls) {
  constexpr int64_t kMostDraws = 9999;
  return value.Fields({IntegerField("random_router", nulls, 0, kMostDraws),
                       IntegerField("permutations", nulls, 0, kMostDraws),
                       IntegerField("random_weights", nulls, 0, kMostDraws),
                       IntegerField("bootstrap", nulls, 0, kMostDraws),
                       BooleanField("keep_draws", nulls)});
}

}  // namespace moeprobe
