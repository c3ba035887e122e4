#include "server/server_operations.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/numerics_version.h"
#include "core/base/printable.h"
#include "core/base/status_macros.h"
#include "core/base/version.h"
#include "core/checkpoint/model_config.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/dataset_operations.h"
#include "server/memory_schedule.h"
#include "server/model_registry.h"
#include "server/page.h"
#include "server/scheduler.h"
#include "storage/access.h"

namespace moeprobe {
namespace {

constexpr const char* kListMethod = "ListModels";

v1::Model ToMessage(const OpenedModel& opened) {
  v1::Model model;
  model.set_name(opened.name);
  if (!opened.problem.ok()) {
    model.set_problem(PrintableLine(std::string(opened.problem.message())));
    return model;
  }
  const ModelConfig& config = opened.checkpoint->config();
  model.set_family(config.family);
  model.set_layer_count(static_cast<int32_t>(config.layers.size()));
  model.set_expert_count(static_cast<int32_t>(config.experts.count));
  model.set_experts_per_token(static_cast<int32_t>(config.experts.per_token));
  model.set_width(static_cast<int32_t>(config.width));
  model.set_size_bytes(opened.checkpoint->size_bytes());
  return model;
}

// One that is gone is one with a problem, and without a directory.
OpenedModel FindOrTell(ModelRegistry& models, const std::string& name) {
  auto model = models.Find(name);
  if (model.ok()) return *std::move(model);
  OpenedModel gone;
  gone.name = name;
  gone.listed_name = name;
  gone.problem = model.status();
  return gone;
}

std::vector<std::string> Union(const std::vector<std::string>& a,
                               const std::vector<std::string>& b) {
  std::vector<std::string> all;
  std::ranges::set_union(a, b, std::back_inserter(all));
  return all;
}

}  // namespace

v1::ServerInfo ServerOperations::GetInfo() const {
  v1::ServerInfo info;
  info.set_version(Version());
  info.set_numerics_version(kNumericsVersion);
  for (const std::string& family : SupportedFamilies()) {
    info.add_families(family);
  }
  info.set_worker_count(parts_.worker_count);
  info.set_idle_worker_count(parts_.scheduler->idle_worker_count());
  info.set_max_dataset_bytes(DatasetOperations::kMaxBytes);
  info.set_max_crash_count(Scheduler::kMaxCrashCount);
  info.set_threads_per_worker(parts_.threads_per_worker);
  info.set_default_visibility(parts_.default_visibility);
  info.set_audit_failure_count(parts_.audit->failure_count());
  info.set_memory_budget_bytes(parts_.memory_budget.bytes);
  info.set_memory_budget_origin(parts_.memory_budget.origin);
  info.set_memory_held_bytes(BytesOf(parts_.running->Memory()));
  info.set_pinned_bytes(parts_.memory->pinned_bytes());
  if (parts_.isolation) *info.mutable_isolation() = *parts_.isolation;
  return info;
}

v1::Model ServerOperations::Show(const Viewer& viewer,
                                 const OpenedModel& opened) {
  v1::Model model = ToMessage(opened);
  parts_.model_memory->Fill(viewer, opened, model);
  return model;
}

absl::StatusOr<v1::Model> ServerOperations::ShowNow(
    const Viewer& viewer, const std::string& name, const absl::Status& status) {
  MOEPROBE_RETURN_IF_ERROR(status);
  ModelRegistry models = parts_.models->ForRequest(viewer);
  return Show(viewer, FindOrTell(models, name));
}

absl::StatusOr<v1::Model> ServerOperations::LoadModel(const Viewer& viewer,
                                                      const std::string& name) {
  return ShowNow(viewer, name, parts_.model_memory->Load(viewer, name));
}

absl::StatusOr<v1::Model> ServerOperations::UnloadModel(
    const Viewer& viewer, const std::string& name) {
  return ShowNow(viewer, name, parts_.model_memory->Unload(viewer, name));
}

absl::StatusOr<v1::Model> ServerOperations::PinModel(const Viewer& viewer,
                                                     const std::string& name) {
  return ShowNow(viewer, name, parts_.model_memory->Pin(viewer, name));
}

absl::StatusOr<v1::Model> ServerOperations::UnpinModel(
    const Viewer& viewer, const std::string& name) {
  return ShowNow(viewer, name, parts_.model_memory->Unpin(viewer, name));
}

absl::StatusOr<v1::ListModelsResponse> ServerOperations::ListModels(
    const Viewer& viewer, const v1::ListModelsRequest& request) {
  MOEPROBE_ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  MOEPROBE_ASSIGN_OR_RETURN(const std::string after,
                            ParsePageToken(kListMethod, request.page_token()));
  ModelRegistry models = parts_.models->ForRequest(viewer);
  const std::vector<std::string> names =
      Union(models.Names(), parts_.model_memory->PinnedNames());
  v1::ListModelsResponse response;
  for (auto name = std::ranges::upper_bound(names, after); name != names.end();
       ++name) {
    MOEPROBE_ASSIGN_OR_RETURN(const bool may_see, models.MaySee(*name));
    if (!may_see) continue;
    if (response.models_size() == size) {
      response.set_next_page_token(PageToken(
          kListMethod, response.models(response.models_size() - 1).name()));
      break;
    }
    const OpenedModel opened = FindOrTell(models, *name);
    v1::Model model = Show(viewer, opened);
    // One that is gone since the listing is left out, unless it is pinned.
    const bool is_gone = opened.directory.empty();
    if (is_gone && !model.memory().pinned()) continue;
    *response.add_models() = std::move(model);
  }
  return response;
}

}  // namespace moeprobe
