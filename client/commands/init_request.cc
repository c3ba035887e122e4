#include "client/commands/init_request.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/commands/screen.h"
#include "client/commands/session.h"
#include "client/request/starter_request.h"
#include "client/service/client.h"
#include "client/text/nearest_name.h"
#include "core/base/printable.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "moeprobe/v1/server_service.pb.h"

namespace moeprobe {
namespace {

// Stands for a text where the server knows none.
constexpr const char* kSomeText = "text.txt";

// The last part of a path, "/" at its end or not.
std::string LastName(const std::string& path) {
  const std::filesystem::path normal =
      std::filesystem::path(path).lexically_normal();
  return normal.has_filename() ? normal.filename().string()
                               : normal.parent_path().filename().string();
}

absl::StatusOr<v1::Model> FindModel(Client& client, const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<v1::Model> models,
                            client.ListModels());
  for (const std::string& wanted : {name, LastName(name)}) {
    const auto found = std::ranges::find(models, wanted, &v1::Model::name);
    if (found != models.end()) return *found;
  }
  std::vector<std::string> names;
  names.reserve(models.size());
  for (const v1::Model& model : models) names.push_back(model.name());
  const std::string meant = NearestName(LastName(name), names);
  return absl::NotFoundError(absl::StrCat(
      "the server has no model ", Quoted(name),
      meant.empty() ? "; `moeprobe-client models` lists what it has"
                    : absl::StrCat("; did you mean ", Quoted(meant), "?")));
}

absl::StatusOr<std::string> SomeText(Client& client) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<v1::Dataset> datasets,
                            client.ListDatasets());
  for (const v1::Dataset& dataset : datasets) {
    if (dataset.kind() == v1::Dataset::KIND_TEXT) return dataset.display_name();
  }
  return kSomeText;
}

}  // namespace

absl::Status InitRequest(Session& session, const std::string& model) {
  MOEPROBE_ASSIGN_OR_RETURN(const v1::Model found,
                            FindModel(session.client, model));
  if (!found.problem().empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        found.name(), " cannot be analysed: ", PrintableLine(found.problem())));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::string text, SomeText(session.client));
  session.out.Print(StarterRequest(found, text));
  return absl::OkStatus();
}

absl::Status InitExperiment(Session& session, const std::string& text) {
  session.out.Print(StarterExperiment(text));
  return absl::OkStatus();
}

}  // namespace moeprobe
