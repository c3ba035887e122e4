#include "client/request/routing_reader.h"

#include "absl/status/status.h"
#include "client/request/message_fields.h"
#include "client/request/value.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"

namespace moeprobe {

absl::Status ReadRouting(const Value& value, v1::RoutingSpec& routing) {
  MOEPROBE_RETURN_IF_ERROR(value.Fields(
      {ChoiceField("select", routing), IntegerField("top_k", routing, 1),
       PositiveField("temperature", routing), ChoiceField("normalize", routing),
       ChoiceField("forward", routing)}));
  const bool takes_all = routing.select() == v1::ROUTING_SELECTION_ALL;
  if (!takes_all || !routing.has_top_k()) return absl::OkStatus();
  return value.Find("top_k")[0].KeyError(
      "has no meaning where select is all, expected one of the two");
}

}  // namespace moeprobe
