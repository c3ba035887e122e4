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

// Returns the file that `name` is at the field `field`; nothing if it is none.
absl::StatusOr<std::optional<LocalData>> Find(
    const Request& request, const std::filesystem::path& directory,
    const std::string& field, const std::string& name, v1::Dataset::Kind kind) {
  LocalData local;
  local.path = directory / name;
  local.field = field;
  std::error_code error;
  if (!std::filesystem::exists(local.path, error)) {
    if (!IsPathOnly(name)) return std::nullopt;
    return request.ErrorAt(
        local.field, absl::StrCat("there is no file ", local.path.string()));
  }
  auto dataset = Describe(local.path, kind);
  if (!dataset.ok()) {
    return request.ErrorAt(local.field,
                           std::string(dataset.status().message()));
  }
  local.dataset = *std::move(dataset);
  return local;
}

// Puts the file that `data`, at the field `field`, names into `found`, and its
// name by digest in place of its path.
template <typename Data>
absl::Status Take(const Request& request,
                  const std::filesystem::path& directory,
                  const std::string& field, Data& data,
                  std::vector<LocalData>& found) {
  const bool is_text = data.has_text();
  MOEPROBE_ASSIGN_OR_RETURN(
      std::optional<LocalData> local,
      Find(request, directory, absl::StrCat(field, is_text ? ".text" : ".ids"),
           is_text ? data.text() : data.ids(),
           is_text ? v1::Dataset::KIND_TEXT : v1::Dataset::KIND_IDS));
  if (!local) return absl::OkStatus();
  local->dataset.set_visibility(request.job.visibility());
  *local->dataset.mutable_shared_with() = request.job.shared_with();
  if (is_text) {
    data.set_text(local->dataset.name());
  } else {
    data.set_ids(local->dataset.name());
  }
  found.push_back(*std::move(local));
  return absl::OkStatus();
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
  if (request.job.train().data().has_synthetic()) return found;
  if (request.job.has_train()) {
    MOEPROBE_RETURN_IF_ERROR(Take(request, directory, "data",
                                  *request.job.mutable_train()->mutable_data(),
                                  found));
    return found;
  }
  auto& data = *request.job.mutable_analyze()->mutable_data();
  for (int i = 0; i < data.size(); ++i) {
    MOEPROBE_RETURN_IF_ERROR(Take(
        request, directory, absl::StrCat("data[", i, "]"), data[i], found));
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
