#include "server/model_memory.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "core/base/machine_memory.h"
#include "core/base/mutex.h"
#include "core/base/printable.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/server_service.pb.h"
#include "server/file_stamp.h"
#include "server/log.h"
#include "server/model_files.h"
#include "server/model_registry.h"
#include "server/resource_name.h"
#include "server/running_tasks.h"
#include "spec/timestamp.h"
#include "storage/access.h"
#include "storage/pin_store.h"

namespace moeprobe {
namespace {

// What the server itself reads of a model, headers, is no more than this part.
constexpr int64_t kPartOfHeaders = 100;

absl::Status CheckMayPin(const Viewer& viewer) {
  if (viewer.is_admin) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(viewer.name,
                   " is no admin: a pin takes memory from all "
                   "jobs; load the model instead"));
}

// `replaced_bytes`: that go once the files are there.
absl::Status CheckFits(const ModelFiles& files, int64_t replaced_bytes) {
  const auto available = AvailableMemoryBytes();
  if (!available) return absl::OkStatus();
  const int64_t resident = files.ResidentBytes().value_or(0);
  const int64_t missing = files.size_bytes() - resident;
  // What is there of the files may be of those that go: it stays.
  const int64_t free =
      *available + std::max<int64_t>(replaced_bytes - resident, 0);
  if (missing <= free) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("its files have ", files.size_bytes(), " bytes, of which ",
                   missing, " are still to be read, and the machine has ", free,
                   " bytes of memory free"));
}

v1::ModelMemory::State StateOf(int64_t size, std::optional<int64_t> resident) {
  if (!resident) return v1::ModelMemory::STATE_UNKNOWN;
  if (*resident >= size) return v1::ModelMemory::STATE_LOADED;
  return *resident <= size / kPartOfHeaders
             ? v1::ModelMemory::STATE_NOT_LOADED
             : v1::ModelMemory::STATE_PARTLY_LOADED;
}

// The model, if the viewer may see it and it can be analysed.
absl::StatusOr<OpenedModel> FindUsable(const ModelRegistry& models,
                                       const Viewer& viewer,
                                       const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(OpenedModel model,
                            models.ForRequest(viewer).Find(name));
  MOEPROBE_RETURN_IF_ERROR(model.problem);
  return model;
}

}  // namespace

ModelMemory::ModelMemory(const Parts& parts)
    : parts_(parts),
      reader_([this](const std::stop_token& stop) { ReadAll(stop); }) {}

absl::Status ModelMemory::Restore() {
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<ModelPin> pins, parts_.pins->All());
  const MutexLock lock(mutex_);
  for (ModelPin& pin : pins) {
    MOEPROBE_ASSIGN_OR_RETURN(pin.model, Rename(pin));
    if (Find(pin.model) != nullptr) continue;  // pinned by two names
    auto locked = Lock(pin, nullptr);
    Enqueue(pin.model,
            locked.ok() ? *std::move(locked) : Missing(pin, locked.status()));
  }
  return absl::OkStatus();
}

// Older servers kept a pin by the name that it was asked for with.
absl::StatusOr<std::string> ModelMemory::Rename(const ModelPin& pin) {
  const auto model = parts_.models->Find(pin.model);
  if (!model.ok() || model->listed_name == pin.model) return pin.model;
  ModelPin renamed = pin;
  renamed.model = model->listed_name;
  MOEPROBE_RETURN_IF_ERROR(parts_.pins->Put(renamed));
  MOEPROBE_RETURN_IF_ERROR(parts_.pins->Remove(pin.model));
  return renamed.model;
}

// A pin that cannot be kept.
ModelMemory::WantedModel ModelMemory::Missing(const ModelPin& pin,
                                              const absl::Status& problem) {
  LogWarning(absl::StrCat("model ", pin.model, " is pinned, but not kept in ",
                          "memory: ", problem.ToString()));
  auto wanted = std::make_shared<Wanted>();
  wanted->pin = pin;
  wanted->user = pin.user;
  wanted->time = pin.time;
  wanted->reads = false;
  wanted->problem = problem;
  return wanted;
}

absl::Status ModelMemory::Load(const Viewer& viewer, const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const OpenedModel model,
                            FindUsable(*parts_.models, viewer, name));
  MOEPROBE_ASSIGN_OR_RETURN(ModelFiles files,
                            ModelFiles::Open(model.directory, model.root));
  MOEPROBE_RETURN_IF_ERROR(CheckFits(files, 0));
  auto wanted = std::make_shared<Wanted>();
  wanted->files = std::move(files);
  wanted->user = viewer.name;
  wanted->time = absl::Now();
  const MutexLock lock(mutex_);
  const WantedModel earlier = Find(model.listed_name);
  if (earlier != nullptr && (earlier->pin || earlier->reads)) {
    return absl::OkStatus();
  }
  Enqueue(model.listed_name, std::move(wanted));
  return absl::OkStatus();
}

absl::Status ModelMemory::Unload(const Viewer& viewer,
                                 const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const OpenedModel model,
                            FindUsable(*parts_.models, viewer, name));
  MOEPROBE_ASSIGN_OR_RETURN(const ModelFiles files,
                            ModelFiles::Open(model.directory, model.root));
  MOEPROBE_RETURN_IF_ERROR(CheckUnused(viewer, model));
  const MutexLock lock(mutex_);
  if (const WantedModel found = Find(model.listed_name)) {
    const std::optional<ModelPin>& pin = found->pin;
    if (pin) {
      return absl::FailedPreconditionError(
          absl::StrCat("model ", Quoted(name), " is pinned by ", pin->user,
                       "; unpin it first"));
    }
  }
  Forget(model.listed_name);
  return files.Drop();
}

absl::Status ModelMemory::Pin(const Viewer& viewer, const std::string& name) {
  MOEPROBE_RETURN_IF_ERROR(CheckMayPin(viewer));
  MOEPROBE_ASSIGN_OR_RETURN(const OpenedModel model,
                            FindUsable(*parts_.models, viewer, name));
  const MutexLock lock(mutex_);
  const WantedModel earlier = Find(model.listed_name);
  if (earlier != nullptr && earlier->pin && earlier->problem.ok() &&
      earlier->stamp == DirectoryStamp(model.directory)) {
    return absl::OkStatus();
  }
  const ModelPin pin = {
      .model = model.listed_name, .user = viewer.name, .time = absl::Now()};
  MOEPROBE_ASSIGN_OR_RETURN(WantedModel wanted, Lock(pin, earlier));
  absl::Status stored = parts_.pins->Put(pin);
  if (!stored.ok()) {
    parts_.scheduler->RemovePinned(PinnedBytes(wanted) - PinnedBytes(earlier));
    return stored;
  }
  Enqueue(pin.model, std::move(wanted));
  return absl::OkStatus();
}

absl::Status ModelMemory::Unpin(const Viewer& viewer, const std::string& name) {
  MOEPROBE_RETURN_IF_ERROR(CheckMayPin(viewer));
  const auto model = parts_.models->Find(name);
  const std::set<std::string> names = {name,
                                       model.ok() ? model->listed_name : name};
  const MutexLock lock(mutex_);
  bool was_pinned = false;
  for (const std::string& known : names) {
    MOEPROBE_RETURN_IF_ERROR(parts_.pins->Remove(known));
    const WantedModel wanted = Find(known);
    if (wanted == nullptr || !wanted->pin) continue;
    Forget(known);
    was_pinned = true;
  }
  return was_pinned ? absl::OkStatus() : model.status();
}

std::vector<std::string> ModelMemory::PinnedNames() const {
  const MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, wanted] : wanted_) {
    if (wanted->pin) names.push_back(name);
  }
  return names;
}

// What a model, which may be null, takes from jobs.
int64_t ModelMemory::PinnedBytes(const WantedModel& wanted) {
  if (wanted == nullptr || !wanted->pin || !wanted->files) return 0;
  return wanted->files->size_bytes();
}

// Takes memory from jobs, beside what an `earlier` one has, and locks what
// comes. Nothing is read before the earlier one goes.
absl::StatusOr<ModelMemory::WantedModel> ModelMemory::Lock(
    const ModelPin& pin, const WantedModel& earlier) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const OpenedModel model,
      FindUsable(*parts_.models, ServerItself(), pin.model));
  auto wanted = std::make_shared<Wanted>();
  wanted->stamp = DirectoryStamp(model.directory);
  MOEPROBE_ASSIGN_OR_RETURN(wanted->files,
                            ModelFiles::Open(model.directory, model.root));
  MOEPROBE_RETURN_IF_ERROR(CheckFits(*wanted->files, PinnedBytes(earlier)));
  const int64_t more = wanted->files->size_bytes() - PinnedBytes(earlier);
  MOEPROBE_RETURN_IF_ERROR(parts_.scheduler->AddPinned(more));
  absl::Status locked = wanted->files->Lock();
  if (!locked.ok()) {
    parts_.scheduler->RemovePinned(more);
    return locked;
  }
  wanted->pin = pin;
  wanted->user = pin.user;
  wanted->time = pin.time;
  return wanted;
}

void ModelMemory::Enqueue(const std::string& model, WantedModel wanted) {
  const auto earlier = wanted_.find(model);
  if (earlier != wanted_.end()) earlier->second->cancelled = true;
  if (wanted->reads) to_read_.push_back(wanted);
  wanted_[model] = std::move(wanted);
  changed_.notify_all();
}

void ModelMemory::Forget(const std::string& model) {
  const auto found = wanted_.find(model);
  if (found == wanted_.end()) return;
  found->second->cancelled = true;
  parts_.scheduler->RemovePinned(PinnedBytes(found->second));
  wanted_.erase(found);
}

ModelMemory::WantedModel ModelMemory::Find(const std::string& model) const {
  const auto found = wanted_.find(model);
  return found == wanted_.end() ? nullptr : found->second;
}

absl::Status ModelMemory::CheckUnused(const Viewer& viewer,
                                      const OpenedModel& model) const {
  v1::ModelMemory memory;
  FillHolders(viewer, model, memory);
  std::vector<std::string> holders;
  for (const v1::ModelHolder& holder : memory.holders()) {
    holders.push_back(absl::StrCat(
        holder.job().empty() ? "a private job" : holder.job(), " (",
        holder.owner().empty() ? "" : absl::StrCat(holder.owner(), ", "),
        "worker ", holder.worker_pid(), ")"));
  }
  if (holders.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("model ", Quoted(model.name), " is used by ",
                   absl::StrJoin(holders, ", ")));
}

void ModelMemory::Fill(const Viewer& viewer, const OpenedModel& model,
                       v1::Model& message) {
  if (model.problem.ok()) FillFiles(viewer, model, message);
  const MutexLock lock(mutex_);
  WantedModel wanted = Find(model.listed_name);
  if (wanted == nullptr) wanted = Find(model.name);  // pinned, and was gone
  if (wanted == nullptr || (!message.has_memory() && !wanted->pin)) return;
  FillWanted(*wanted, model, *message.mutable_memory());
}

void ModelMemory::FillFiles(const Viewer& viewer, const OpenedModel& model,
                            v1::Model& message) const {
  const auto files = ModelFiles::Open(model.directory, model.root);
  if (!files.ok()) return;  // gone meanwhile
  v1::ModelMemory& memory = *message.mutable_memory();
  const auto resident = files->ResidentBytes();
  memory.set_size_bytes(files->size_bytes());
  memory.set_resident_bytes(resident.value_or(0));
  memory.set_state(StateOf(files->size_bytes(), resident));
  FillHolders(viewer, model, memory);
}

void ModelMemory::FillHolders(const Viewer& viewer, const OpenedModel& model,
                              v1::ModelMemory& memory) const {
  for (const auto& task : parts_.running->Using(model.directory)) {
    v1::ModelHolder& holder = *memory.add_holders();
    holder.set_worker_pid(task->worker);
    *holder.mutable_since_time() = ToTimestamp(task->start_time);
    const auto row = parts_.jobs->Get(viewer, task->attempt.job);
    if (!row.ok()) continue;
    holder.set_job(JobName(task->attempt.job));
    holder.set_owner(row->access.owner);
  }
}

void ModelMemory::FillWanted(const Wanted& wanted, const OpenedModel& model,
                             v1::ModelMemory& memory) {
  if (wanted.reads) memory.set_state(v1::ModelMemory::STATE_LOADING);
  memory.set_user(wanted.user);
  *memory.mutable_request_time() = ToTimestamp(wanted.time);
  memory.set_problem(PrintableLine(std::string(wanted.problem.message())));
  if (!wanted.pin) return;
  memory.set_pinned(true);
  if (!model.problem.ok()) {
    memory.set_state(v1::ModelMemory::STATE_UNKNOWN);
    memory.set_problem(PrintableLine(std::string(model.problem.message())));
  } else if (wanted.files && wanted.stamp != DirectoryStamp(model.directory)) {
    memory.set_problem("its files have changed since; pin it again");
  } else if (wanted.files && !wanted.reads && wanted.problem.ok()) {
    memory.set_state(v1::ModelMemory::STATE_LOADED);
  }
}

ModelMemory::WantedModel ModelMemory::NextToRead(const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  changed_.wait(mutex_, stop, [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return !to_read_.empty();
  });
  if (stop.stop_requested()) return nullptr;
  WantedModel next = to_read_.front();
  to_read_.pop_front();
  return next;
}

absl::Status ModelMemory::Read(const Wanted& wanted,
                               const std::stop_token& stop) {
  if (!wanted.files) return absl::OkStatus();
  const auto go_on = [&] {
    return !stop.stop_requested() && !wanted.cancelled;
  };
  return wanted.pin ? wanted.files->ReadLocked(go_on)
                    : wanted.files->Read(go_on);
}

void ModelMemory::ReadAll(const std::stop_token& stop) {
  while (const WantedModel wanted = NextToRead(stop)) {
    const absl::Status read = Read(*wanted, stop);
    if (!read.ok()) LogWarning(read.ToString());
    const MutexLock lock(mutex_);
    wanted->problem = read;
    wanted->reads = false;
    if (!wanted->pin) wanted->files.reset();
  }
}

}  // namespace moeprobe
