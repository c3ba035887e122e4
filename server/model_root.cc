#include "server/model_root.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/directory_entries.h"
#include "core/base/disk_error.h"
#include "core/base/file_content.h"
#include "core/base/pinned_file.h"
#include "core/base/printable.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 3;
constexpr int64_t kMaxRevisionBytes = 1000;
constexpr const char* kHubPrefix = "models--";

absl::Status NoModel(const std::string& name) {
  return absl::NotFoundError(absl::StrCat("there is no model ", Quoted(name)));
}

// Whether `name` is a path that goes only down.
bool IsPlain(const std::string& name) {
  const std::vector<std::string> steps = absl::StrSplit(name, '/');
  return std::ranges::none_of(steps, [](const std::string& step) {
    return step.empty() || step == "." || step == ".." ||
           step.find('\0') != std::string::npos;
  });
}

// Whether a name can be said in a request and in an answer.
bool IsPrintable(const std::string& name) {
  return PrintableLine(name) == name;
}

// What is not there, or not for this process, is no error; what may pass is.
absl::Status PassingError(const std::error_code& error, const fs::path& path) {
  if (!error) return absl::OkStatus();
  absl::Status status = DiskError(error.value(), path);
  return MayPass(status) ? status : absl::OkStatus();
}

absl::StatusOr<std::vector<fs::path>> Subdirectories(
    const fs::path& directory) {
  std::vector<fs::path> result;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end;
       !error && entry != end; entry.increment(error)) {
    std::error_code unreadable;
    if (!IsPrintable(entry->path().filename().native())) continue;
    if (entry->is_directory(unreadable)) result.push_back(entry->path());
  }
  MOEPROBE_RETURN_IF_ERROR(PassingError(error, directory));
  std::ranges::sort(result);
  return result;
}

// "models--ORG--NAME" is of "ORG/NAME".
std::string HubName(const fs::path& repository) {
  std::string folder =
      repository.filename().string().substr(std::string(kHubPrefix).size());
  const size_t dashes = folder.find("--");
  if (dashes == std::string::npos) return folder;
  return absl::StrCat(folder.substr(0, dashes), "/", folder.substr(dashes + 2));
}

// Returns the revision that a file inside the root, such as refs/main, names.
absl::StatusOr<std::string> RevisionIn(const fs::path& file,
                                       const fs::path& root) {
  MOEPROBE_ASSIGN_OR_RETURN(const PinnedFile pinned,
                            PinnedFile::Find(file, root));
  const auto content = ReadFile(pinned.handle(), kMaxRevisionBytes);
  if (!content.ok()) return pinned.Named(content.status());
  return std::string(absl::StripAsciiWhitespace(content->bytes));
}

}  // namespace

absl::StatusOr<ModelRoot> ModelRoot::Open(const fs::path& directory) {
  std::error_code error;
  const fs::path root = fs::canonical(directory, error);
  if (error || !fs::is_directory(root, error)) {
    return absl::NotFoundError(
        absl::StrCat("model root ", directory.string(), ": no such directory"));
  }
  return ModelRoot(root);
}

absl::StatusOr<bool> ModelRoot::Contains(const fs::path& path) const {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  MOEPROBE_RETURN_IF_ERROR(PassingError(error, path));
  return !error && std::ranges::mismatch(root_, real).in1 == root_.end();
}

absl::StatusOr<bool> ModelRoot::IsModel(const fs::path& directory) const {
  std::error_code error;
  const bool has_config = fs::exists(directory / "config.json", error);
  MOEPROBE_RETURN_IF_ERROR(PassingError(error, directory));
  if (!has_config) return false;
  return Contains(directory);
}

std::map<std::string, fs::path> ModelRoot::List() const {
  std::map<std::string, fs::path> found;
  ListBelow(root_, 1, found);
  return found;
}

void ModelRoot::ListBelow(const fs::path& directory, int depth,
                          std::map<std::string, fs::path>& found) const {
  const auto children = Subdirectories(directory);
  if (!children.ok()) return;
  for (const fs::path& child : *children) {
    if (!Contains(child).value_or(false)) continue;
    if (absl::StartsWith(child.filename().string(), kHubPrefix)) {
      ListSnapshots(child, found);
    } else if (IsModel(child).value_or(false)) {
      found.emplace(NameOf(child), child);
    } else if (depth < kMaxDepth) {
      ListBelow(child, depth + 1, found);
    }
  }
}

void ModelRoot::ListSnapshots(const fs::path& repository,
                              std::map<std::string, fs::path>& found) const {
  const auto snapshots = Subdirectories(repository / "snapshots");
  if (!snapshots.ok()) return;
  for (const fs::path& snapshot : *snapshots) {
    if (!IsModel(snapshot).value_or(false)) continue;
    found.emplace(NameOf(snapshot), snapshot);
  }
}

absl::StatusOr<fs::path> ModelRoot::Find(const std::string& name) const {
  if (!IsPlain(name)) return NoModel(name);
  fs::path directory = root_ / name;
  const auto depth = std::count(name.begin(), name.end(), '/') + 1;
  if (depth <= kMaxDepth) {
    MOEPROBE_ASSIGN_OR_RETURN(const bool is_model, IsModel(directory));
    if (is_model) return directory;
  }
  return FindSnapshot(name);
}

absl::StatusOr<fs::path> ModelRoot::FindSnapshot(
    const std::string& name) const {
  const std::vector<std::string> parts = absl::StrSplit(name, '@');
  if (parts.size() > 2) return NoModel(name);
  const fs::path repository =
      root_ /
      absl::StrCat(kHubPrefix, absl::StrReplaceAll(parts[0], {{"/", "--"}}));
  absl::StatusOr<std::string> named =
      parts.size() == 2 ? parts[1]
                        : RevisionIn(repository / "refs" / "main", root_);
  if (MayPass(named.status())) return named.status();
  std::string revision = std::move(named).value_or("");
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<fs::path> snapshots,
                            Subdirectories(repository / "snapshots"));
  if (revision.empty() && snapshots.size() == 1) {
    revision = snapshots.front().filename().string();
  }
  for (const fs::path& snapshot : snapshots) {
    if (snapshot.filename() != revision) continue;
    MOEPROBE_ASSIGN_OR_RETURN(const bool is_model, IsModel(snapshot));
    if (is_model) return snapshot;
  }
  return NoModel(name);
}

std::string ModelRoot::NameOf(const fs::path& directory) const {
  const fs::path snapshots = directory.parent_path();
  const fs::path repository = snapshots.parent_path();
  if (snapshots.filename() != "snapshots" ||
      !absl::StartsWith(repository.filename().string(), kHubPrefix)) {
    return directory.lexically_relative(root_).string();
  }
  return absl::StrCat(HubName(repository), "@", directory.filename().string());
}

absl::Status ModelRoot::CheckFiles(const fs::path& directory) const {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<fs::path> entries,
                            DirectoryEntries(directory));
  for (const fs::path& entry : entries) {
    const std::string extension = entry.extension().string();
    if (extension != ".json" && extension != ".safetensors") continue;
    MOEPROBE_ASSIGN_OR_RETURN(const bool is_inside, Contains(entry));
    if (!is_inside) {
      return absl::FailedPreconditionError(
          absl::StrCat(entry.native(), ": a link that leads nowhere or out of ",
                       root_.native(), ", the model root"));
    }
    std::error_code error;
    const bool is_regular = fs::is_regular_file(entry, error);
    MOEPROBE_RETURN_IF_ERROR(PassingError(error, entry));
    if (!is_regular) {
      return absl::FailedPreconditionError(
          absl::StrCat(entry.native(), ": not a regular file"));
    }
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
