#include "storage/backup_manifest.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/file_content.h"
#include "core/base/whole_file.h"
#include "storage/data_layout.h"

namespace moeprobe {
namespace {

constexpr const char* kName = "manifest";
constexpr const char* kTitle = "# moeprobe backup 1";
constexpr size_t kDigestLength = 64;
constexpr int64_t kMaxBytes = int64_t{1} << 30;

bool IsDigest(absl::string_view text) {
  return text.size() == kDigestLength &&
         std::ranges::all_of(text, absl::ascii_isxdigit);
}

bool IsOurs(absl::string_view path) {
  if (path == kDatabaseName) return true;
  return absl::ConsumePrefix(&path, absl::StrCat(kBlobsName, "/")) &&
         IsDigest(path);
}

}  // namespace

absl::Status WriteManifest(const std::filesystem::path& backup,
                           const BackupManifest& manifest) {
  std::string text = absl::StrCat(kTitle, "\n");
  for (const auto& [path, sha256] : manifest) {
    absl::StrAppend(&text, sha256, "  ", path, "\n");
  }
  return WriteWholeFile(backup / kName, {text});
}

absl::StatusOr<BackupManifest> ReadManifest(
    const std::filesystem::path& backup) {
  const auto no_backup = [&](absl::string_view why) {
    return absl::FailedPreconditionError(
        absl::StrCat(backup.native(), ": no backup that was finished: ", why));
  };
  const auto content = ReadFile(backup / kName, kMaxBytes);
  if (!content.ok()) return no_backup(content.status().message());
  BackupManifest manifest;
  absl::string_view title = kTitle;
  for (const absl::string_view line :
       absl::StrSplit(content->bytes, '\n', absl::SkipEmpty())) {
    if (!title.empty()) {
      if (line != title) return no_backup("its manifest is of another kind");
      title = "";
      continue;
    }
    const absl::string_view sha256 = line.substr(0, kDigestLength);
    if (line.size() < kDigestLength + 2 || !IsDigest(sha256) ||
        !IsOurs(line.substr(kDigestLength + 2))) {
      return no_backup("its manifest names something else");
    }
    manifest[std::string(line.substr(kDigestLength + 2))] = std::string(sha256);
  }
  if (!manifest.contains(kDatabaseName)) return no_backup("no database");
  return manifest;
}

}  // namespace moeprobe
