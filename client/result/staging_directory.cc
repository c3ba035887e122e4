#include "client/result/staging_directory.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace moeprobe {
namespace {

absl::Status Unusable(const std::filesystem::path& path,
                      const std::string& reason) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot write to ", path.string(), ": ", reason));
}

}  // namespace

absl::StatusOr<StagingDirectory> StagingDirectory::Create(
    const std::filesystem::path& target) {
  std::error_code error;
  const bool created = std::filesystem::create_directories(target, error);
  if (error) return Unusable(target, error.message());
  std::string pattern = target / ".moeprobe-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) {
    const std::string reason = std::generic_category().message(errno);
    if (created) std::filesystem::remove(target, error);
    return Unusable(target, reason);
  }
  return StagingDirectory(target, pattern, created);
}

StagingDirectory::StagingDirectory(std::filesystem::path target,
                                   std::filesystem::path staging,
                                   bool created_target)
    : target_(std::move(target)),
      staging_(std::move(staging)),
      created_target_(created_target) {}

StagingDirectory::StagingDirectory(StagingDirectory&& other) noexcept
    : target_(std::move(other.target_)),
      staging_(std::exchange(other.staging_, {})),
      created_target_(other.created_target_) {}

StagingDirectory::~StagingDirectory() {
  if (staging_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove_all(staging_, ignored);
  // Only succeeds while nothing is in it.
  if (created_target_) std::filesystem::remove(target_, ignored);
}

std::filesystem::path StagingDirectory::PathOf(const std::string& name) const {
  return staging_ / name;
}

absl::Status StagingDirectory::Write(const std::string& name,
                                     std::string_view content) const {
  std::ofstream file(PathOf(name), std::ios::binary);
  file << content;
  file.close();
  if (file) return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot write ", (target_ / name).string(), ": ",
                   std::generic_category().message(errno)));
}

absl::Status StagingDirectory::Publish(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::error_code error;
    std::filesystem::rename(PathOf(name), target_ / name, error);
    if (error) return Unusable(target_ / name, error.message());
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
