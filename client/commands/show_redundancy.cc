#include "client/commands/show_redundancy.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/result/ranked_pairs.h"
#include "client/result/result_json.h"
#include "client/service/client.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

absl::Status ShowRedundancy(Session& session, const RedundancyView& view) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string name, JobName(view.job));
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Result result,
                            session.client.GetResult(name));
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<LayerPairs> layers,
                            ReadRankedPairs(session.client, result));
  std::erase_if(layers, [&](const LayerPairs& layer) {
    return view.layer && layer.layer != *view.layer;
  });
  if (layers.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        name, " has no redundancy report",
        view.layer ? absl::StrCat(" of layer ", *view.layer) : "",
        ": it is made for layers of several experts where the request has "
        "probes: {redundancy: {}}"));
  }
  session.out.Print(
      view.json ? JsonText(RankedPairsJson(layers, view.top))
                : RankedPairsText(layers, view.top, session.out.width()));
  return absl::OkStatus();
}

}  // namespace moeprobe
