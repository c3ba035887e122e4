#include "server/model_registry.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/mutex.h"
#include "core/base/pinned_file.h"
#include "core/base/quoted.h"
#include "core/base/sha256.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "server/file_stamp.h"
#include "server/model_root.h"
#include "server/near_name.h"
#include "server/trained_runs.h"
#include "storage/access.h"
#include "storage/job_store.h"

namespace moeprobe {
namespace {

constexpr uintmax_t kMaxTokenizerBytes = uintmax_t{1} << 28;
constexpr const char* kTrained = "trained";  // below the home

// Whether a look at the same files would find the same.
bool IsSettled(const OpenedModel& model) {
  return model.checkpoint != nullptr ||
         (!model.problem.ok() && !MayPass(model.problem));
}

absl::StatusOr<std::shared_ptr<const Checkpoint>> OpenCheckpoint(
    const ModelRoot& root, const std::filesystem::path& directory) {
  MOEPROBE_RETURN_IF_ERROR(root.CheckFiles(directory));
  MOEPROBE_ASSIGN_OR_RETURN(std::unique_ptr<Checkpoint> checkpoint,
                            Checkpoint::Open(directory, root.path()));
  return std::shared_ptr<const Checkpoint>(std::move(checkpoint));
}

}  // namespace

absl::Status ReasonToRefuse(const OpenedModel& model) {
  if (model.problem.ok() || MayPass(model.problem)) return model.problem;
  return absl::FailedPreconditionError(model.problem.message());
}

ModelRegistry ModelRegistry::ForRequest(const Viewer& viewer) const {
  ModelRegistry registry = *this;
  registry.viewer_ = viewer;
  registry.looks_once_ = true;
  return registry;
}

std::vector<std::string> ModelRegistry::Names() const {
  std::set<std::string> names;
  for (const ModelRoot& root : shared_->roots) {
    for (const auto& [name, directory] : root.List()) names.insert(name);
  }
  return {names.begin(), names.end()};
}

absl::StatusOr<bool> ModelRegistry::MaySee(const std::string& name) const {
  const auto run = RunOfModel(name);
  if (viewer_.is_admin || !run) return true;
  return shared_->jobs->HasRun(viewer_, *run);
}

absl::StatusOr<std::vector<const ModelRoot*>> ModelRegistry::PlacesOf(
    const std::string& name) const {
  std::vector<const ModelRoot*> places;
  places.reserve(shared_->roots.size() + 1);
  for (const ModelRoot& root : shared_->roots) places.push_back(&root);
  MOEPROBE_ASSIGN_OR_RETURN(const bool may_see, MaySee(name));
  if (may_see && RunOfModel(name)) places.push_back(&shared_->home);
  return places;
}

absl::StatusOr<OpenedModel> ModelRegistry::Find(const std::string& name) {
  const auto found = found_.find(name);
  if (found != found_.end()) return found->second;
  absl::StatusOr<OpenedModel> model = Look(name);
  if (looks_once_ && model.ok()) found_.emplace(name, *model);
  return model;
}

// What a root that fails would have, another one may have, too.
absl::StatusOr<OpenedModel> ModelRegistry::Look(const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto places, PlacesOf(name));
  absl::Status failure;
  for (const ModelRoot* root : places) {
    const auto directory = root->Find(name);
    if (directory.ok()) return Open(*root, name, *directory);
    if (MayPass(directory.status())) failure.Update(directory.status());
  }
  if (!failure.ok()) {
    return WithContext(
        failure, absl::StrCat("model ", Quoted(name), " cannot be looked for"));
  }
  const std::string near = NearName(name, Names());
  return absl::NotFoundError(absl::StrCat(
      "there is no model ", Quoted(name),
      near.empty() ? "" : absl::StrCat("; did you mean ", Quoted(near), "?")));
}

std::shared_ptr<ModelRegistry::Known> ModelRegistry::KnownOf(
    const std::filesystem::path& directory) {
  const MutexLock lock(shared_->mutex);
  std::shared_ptr<Known>& known = shared_->known[directory];
  if (known == nullptr) known = std::make_shared<Known>();
  return known;
}

OpenedModel ModelRegistry::Open(const ModelRoot& root, const std::string& name,
                                const std::filesystem::path& directory) {
  const std::shared_ptr<Known> known = KnownOf(directory);
  const MutexLock lock(known->mutex);
  const std::string stamp = DirectoryStamp(directory);
  if (known->stamp != stamp || !IsSettled(known->model)) {
    auto checkpoint = OpenCheckpoint(root, directory);
    known->stamp = stamp;
    known->model.directory = directory;
    known->model.root = root.path();
    known->model.problem = checkpoint.status();
    known->model.checkpoint = checkpoint.ok() ? *checkpoint : nullptr;
  }
  OpenedModel model = known->model;
  model.name = name;
  model.listed_name = root.NameOf(directory);
  return model;
}

void ModelRegistry::Forget(const std::string& run) {
  const std::filesystem::path directory = shared_->home.path() / kTrained / run;
  const MutexLock lock(shared_->mutex);
  std::erase_if(shared_->known, [&](const auto& entry) {
    return entry.first.parent_path() == directory;
  });
}

absl::StatusOr<std::string> ModelRegistry::TokenizerSha256(
    const OpenedModel& model) {
  const std::filesystem::path file = model.directory / "tokenizer.json";
  std::error_code error;
  const auto size_bytes = std::filesystem::file_size(file, error);
  absl::Status failure = DiskError(error.value(), file);
  if (MayPass(failure)) return failure;
  const std::string stamp = FileStamp(file);
  if (stamp.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", Quoted(model.name),
                     " has no tokenizer.json; give token ids instead"));
  }
  if (error || size_bytes > kMaxTokenizerBytes) {
    return absl::FailedPreconditionError(absl::StrCat(
        "model ", Quoted(model.name), ": tokenizer.json is no file of at most ",
        kMaxTokenizerBytes, " bytes"));
  }
  const std::shared_ptr<Known> known = KnownOf(model.directory);
  const MutexLock lock(known->mutex);
  if (known->tokenizer_stamp != stamp) {
    MOEPROBE_ASSIGN_OR_RETURN(const PinnedFile pinned,
                              PinnedFile::Find(file, model.root));
    const auto sha256 = Sha256OfFile(pinned.handle());
    if (!sha256.ok()) return pinned.Named(sha256.status());
    known->tokenizer_stamp = stamp;
    known->tokenizer_sha256 = *sha256;
  }
  return known->tokenizer_sha256;
}

}  // namespace moeprobe
