#ifndef MOEPROBE_SERVER_MODEL_ROOT_H_
#define MOEPROBE_SERVER_MODEL_ROOT_H_

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace moeprobe {

// A directory tree with models: directories, at most three levels down, that
// hold a config.json. One is named by its path below the root; in a Hugging
// Face cache, models--ORG--NAME/snapshots/REV is named ORG/NAME@REV. Symbolic
// links are followed as long as they stay inside the root. Directories whose
// names are not printable UTF-8 are left out. Immutable.
class ModelRoot {
 public:
  // NotFound if there is no such directory.
  static absl::StatusOr<ModelRoot> Open(const std::filesystem::path& directory);

  // Absolute, without symbolic links.
  const std::filesystem::path& path() const { return root_; }

  // Returns every model, by name; what cannot be looked at is left out.
  std::map<std::string, std::filesystem::path> List() const;

  // Returns the directory of the model `name`. ORG/NAME alone stands for the
  // revision that refs/main names, or the only one. NotFound for anything that
  // List() would not find; errors that may pass (MayPass) where that cannot be
  // told at the moment.
  absl::StatusOr<std::filesystem::path> Find(const std::string& name) const;

  // Returns the one name that List() has for a directory that Find() returned,
  // however it was asked for.
  std::string NameOf(const std::filesystem::path& directory) const;

  // OK if every file of a model directory is a regular file inside the root;
  // FailedPrecondition that names the first one that is not; those of DiskError
  // where that cannot be told.
  absl::Status CheckFiles(const std::filesystem::path& directory) const;

 private:
  explicit ModelRoot(std::filesystem::path root) : root_(std::move(root)) {}

  absl::StatusOr<bool> Contains(const std::filesystem::path& path) const;
  absl::StatusOr<bool> IsModel(const std::filesystem::path& directory) const;
  void ListBelow(const std::filesystem::path& directory, int depth,
                 std::map<std::string, std::filesystem::path>& found) const;
  void ListSnapshots(const std::filesystem::path& repository,
                     std::map<std::string, std::filesystem::path>& found) const;
  absl::StatusOr<std::filesystem::path> FindSnapshot(
      const std::string& name) const;

  std::filesystem::path root_;  // canonical
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_MODEL_ROOT_H_
