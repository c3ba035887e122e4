#include "client/commands/local_data.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/request/request_reader.h"
#include "client/service/client.h"
#include "core/base/file_descriptor.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/dataset_service.pb.h"

namespace moeprobe {
namespace {

constexpr size_t kPieceSize = size_t{1} << 20U;

// Whether `name` can only be meant as a path of this machine.
bool IsPathOnly(const std::string& name) {
  return name.starts_with('/') || name.starts_with("./") ||
         name.starts_with("../");
}

absl::StatusOr<v1::Dataset> Describe(const std::filesystem::path& path,
                                     v1::Dataset::Kind kind) {
  MOEPROBE_RETURN_IF_ERROR(OpenRegularFile(path).status());
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return absl::InvalidArgumentError(error.message());
  if (size == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path.string(), " is empty, expected data"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(path));
  v1::Dataset dataset;
  dataset.set_name(absl::StrCat("datasets/", digest));
  dataset.set_display_name(path.filename().string());
  dataset.set_kind(kind);
  dataset.set_sha256(digest);
  dataset.set_size_bytes(static_cast<int64_t>(size));
  return dataset;
}

// Returns the file that a data set is; nothing if it is not one.
absl::StatusOr<std::optional<LocalData>> Find(
    const Request& request, const std::filesystem::path& directory, int index) {
  const v1::DataSpec& data = request.spec.data(index);
  const bool is_text = data.has_text();
  const std::string& name = is_text ? data.text() : data.ids();
  LocalData local;
  local.path = directory / name;
  local.field = absl::StrCat("data[", index, is_text ? "].text" : "].ids");
  std::error_code error;
  if (!std::filesystem::exists(local.path, error)) {
    if (!IsPathOnly(name)) return std::nullopt;
    return request.ErrorAt(
        local.field, absl::StrCat("there is no file ", local.path.string()));
  }
  auto dataset = Describe(
      local.path, is_text ? v1::Dataset::KIND_TEXT : v1::Dataset::KIND_IDS);
  if (!dataset.ok()) {
    return request.ErrorAt(local.field,
                           std::string(dataset.status().message()));
  }
  local.dataset = *std::move(dataset);
  return local;
}

absl::Status Upload(Client& client, const LocalData& data,
                    const UploadProgress& progress) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file,
                            OpenRegularFile(data.path));
  int64_t done = 0;
  const auto next_piece = [&]() -> absl::StatusOr<std::string> {
    progress(data, done);
    std::string piece(kPieceSize, '\0');
    MOEPROBE_ASSIGN_OR_RETURN(const size_t size,
                              ReadSome(file, std::span(piece), data.path));
    piece.resize(size);
    done += static_cast<int64_t>(size);
    return piece;
  };
  return client.UploadDataset(data.dataset, next_piece).status();
}

}  // namespace

absl::StatusOr<std::vector<LocalData>> FindLocalData(
    Request& request, const std::filesystem::path& directory) {
  std::vector<LocalData> found;
  for (int i = 0; i < request.spec.data_size(); ++i) {
    MOEPROBE_ASSIGN_OR_RETURN(std::optional<LocalData> local,
                              Find(request, directory, i));
    if (!local) continue;
    v1::DataSpec& data = *request.spec.mutable_data(i);
    if (data.has_text()) {
      data.set_text(local->dataset.name());
    } else {
      data.set_ids(local->dataset.name());
    }
    found.push_back(*std::move(local));
  }
  return found;
}

absl::Status UploadOnce(Client& client, const LocalData& data,
                        const UploadProgress& progress) {
  absl::Status known = client.GetDataset(data.dataset.name()).status();
  if (!absl::IsNotFound(known)) return known;
  return Upload(client, data, progress);
}

}  // namespace moeprobe
