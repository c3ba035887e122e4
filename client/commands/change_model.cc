#include "client/commands/change_model.h"

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/commands/model_text.h"
#include "client/commands/session.h"
#include "client/service/client.h"
#include "core/base/printable.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/server_service.pb.h"

namespace moeprobe {

absl::Status ChangeModel(Session& session, const std::string& action,
                         const std::string& model) {
  using Call = absl::StatusOr<v1::Model> (Client::*)(const std::string&);
  const std::map<std::string, Call> calls = {{"load", &Client::LoadModel},
                                             {"unload", &Client::UnloadModel},
                                             {"pin", &Client::PinModel},
                                             {"unpin", &Client::UnpinModel}};
  const auto call = calls.find(action);
  if (call == calls.end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        action, " is no action, expected load, unload, pin or unpin"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Model changed,
                            (session.client.*call->second)(model));
  session.out.Print(absl::StrCat(
      "model ", PrintableLine(changed.name()),
      ", in memory: ", PrintableLine(ModelMemoryText(changed)), "\n"));
  return absl::OkStatus();
}

}  // namespace moeprobe
