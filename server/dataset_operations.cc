#include "server/dataset_operations.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/crash_point.h"
#include "core/base/quoted.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/dataset_service.pb.h"
#include "server/dataset_check.h"
#include "server/page.h"
#include "server/resource_name.h"
#include "server/sharing.h"
#include "server/upload_places.h"
#include "server/violations.h"
#include "spec/timestamp.h"
#include "storage/access.h"
#include "storage/blob_store.h"
#include "storage/dataset_store.h"

namespace moeprobe {
namespace {

constexpr const char* kListMethod = "ListDatasets";
constexpr int kMaxDisplayNameBytes = 1000;

using ReadMessage = std::function<bool(v1::UploadDatasetRequest*)>;

v1::Dataset ToMessage(const DatasetRow& row) {
  v1::Dataset dataset;
  dataset.set_name(DatasetName(row.sha256));
  FillAccess(row.access, dataset);
  dataset.set_display_name(row.display_name);
  dataset.set_kind(row.is_text ? v1::Dataset::KIND_TEXT
                               : v1::Dataset::KIND_IDS);
  dataset.set_sha256(row.sha256);
  dataset.set_size_bytes(row.size_bytes);
  *dataset.mutable_create_time() = ToTimestamp(row.create_time);
  return dataset;
}

absl::Status CheckDisplayName(const std::string& name) {
  if (name.empty() || name.size() > kMaxDisplayNameBytes ||
      absl::StartsWith(name, "datasets/") ||
      std::ranges::any_of(name, absl::ascii_iscntrl)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "dataset.display_name: ", Quoted(name),
        ", expected a file name of 1 to ", kMaxDisplayNameBytes, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status CheckAnnouncement(const v1::Dataset& dataset) {
  if (dataset.kind() != v1::Dataset::KIND_TEXT &&
      dataset.kind() != v1::Dataset::KIND_IDS) {
    return absl::InvalidArgumentError(
        "dataset.kind: expected KIND_TEXT or KIND_IDS");
  }
  if (!IsSha256(dataset.sha256())) {
    return absl::InvalidArgumentError(
        absl::StrCat("dataset.sha256: ", Quoted(dataset.sha256()),
                     " is no SHA-256 in lower-case hexadecimal"));
  }
  if (dataset.size_bytes() < 1 ||
      dataset.size_bytes() > DatasetOperations::kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "dataset.size_bytes: ", dataset.size_bytes(),
        " is out of range, expected 1 to ", DatasetOperations::kMaxBytes));
  }
  return CheckDisplayName(dataset.display_name());
}

// Writes the messages after the first, and shows them to the check.
absl::Status Receive(const ReadMessage& read, const v1::Dataset& announced,
                     BlobWriter& writer, DatasetCheck& check) {
  v1::UploadDatasetRequest message;
  while (read(&message)) {
    if (!message.has_data()) {
      return absl::InvalidArgumentError(
          "a second message with `dataset`, expected `data`");
    }
    if (writer.size_bytes() + static_cast<int64_t>(message.data().size()) >
        announced.size_bytes()) {
      return absl::DataLossError(absl::StrCat(
          "more than the announced ", announced.size_bytes(), " bytes"));
    }
    MOEPROBE_RETURN_IF_ERROR(writer.Append(message.data()));
    check.Append(message.data());
  }
  return absl::OkStatus();
}

absl::Status CheckReceived(const v1::Dataset& announced, BlobWriter& writer) {
  if (writer.size_bytes() != announced.size_bytes()) {
    return absl::DataLossError(absl::StrCat("got ", writer.size_bytes(),
                                            " bytes, ", announced.size_bytes(),
                                            " were announced"));
  }
  const std::string sha256 = writer.Seal();
  if (sha256 != announced.sha256()) {
    return absl::DataLossError(absl::StrCat("the bytes have SHA-256 ", sha256,
                                            ", ", announced.sha256(),
                                            " was announced"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Access> DatasetOperations::AccessOf(
    const Viewer& user, const v1::Dataset& announced) {
  if (announced.visibility() == v1::VISIBILITY_UNSPECIFIED &&
      announced.shared_with().empty()) {
    const auto held = datasets_->Get(user, announced.sha256());
    if (held.ok() && held->access.owner == user.name) return held->access;
  }
  Violations violations;
  Access access = ResolveSharing(user.name,
                                 {.visibility = announced.visibility(),
                                  .shared_with = announced.shared_with()},
                                 default_visibility_, violations);
  MOEPROBE_RETURN_IF_ERROR(violations.ToStatus());
  return access;
}

absl::StatusOr<v1::Dataset> DatasetOperations::Upload(const Viewer& user,
                                                      const ReadMessage& read) {
  MOEPROBE_ASSIGN_OR_RETURN(const UploadPlaces::Place place,
                            uploads_.Take(user.name));
  v1::UploadDatasetRequest first;
  if (!read(&first) || !first.has_dataset()) {
    return absl::InvalidArgumentError(
        "the first message has no `dataset` that says what follows");
  }
  const v1::Dataset& announced = first.dataset();
  MOEPROBE_RETURN_IF_ERROR(CheckAnnouncement(announced));
  MOEPROBE_ASSIGN_OR_RETURN(const Access access, AccessOf(user, announced));
  const DatasetRow row{.access = access,
                       .sha256 = announced.sha256(),
                       .is_text = announced.kind() == v1::Dataset::KIND_TEXT,
                       .display_name = announced.display_name(),
                       .size_bytes = announced.size_bytes(),
                       .create_time = absl::InfinitePast()};
  MOEPROBE_RETURN_IF_ERROR(datasets_->CheckRoom(row));
  MOEPROBE_ASSIGN_OR_RETURN(BlobWriter writer, blobs_->NewBlob());
  DatasetCheck check(announced);
  MOEPROBE_RETURN_IF_ERROR(Receive(read, announced, writer, check));
  MOEPROBE_RETURN_IF_ERROR(CheckReceived(announced, writer));
  MOEPROBE_RETURN_IF_ERROR(check.End());
  const BlobStore::Hold hold = blobs_->HoldAll();
  MOEPROBE_RETURN_IF_ERROR(writer.Commit());
  CrashPoint("dataset-bytes-stored-row-not");
  MOEPROBE_RETURN_IF_ERROR(datasets_->Add(row));
  blobs_->Confirm(row.sha256);
  CrashPoint("dataset-stored-not-acknowledged");
  return Get(user, DatasetName(announced.sha256()));
}

absl::StatusOr<v1::Dataset> DatasetOperations::Get(const Viewer& user,
                                                   const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string sha256, ParseDatasetName(name));
  MOEPROBE_ASSIGN_OR_RETURN(const DatasetRow row, datasets_->Get(user, sha256));
  return ToMessage(row);
}

absl::StatusOr<v1::ListDatasetsResponse> DatasetOperations::List(
    const Viewer& user, const v1::ListDatasetsRequest& request) {
  MOEPROBE_ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  MOEPROBE_ASSIGN_OR_RETURN(
      const int64_t before,
      ParsePageTokenNumber(kListMethod, request.page_token()));
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<DatasetRow> rows,
                            datasets_->List(user, before, size + 1));
  v1::ListDatasetsResponse response;
  for (const DatasetRow& row : rows) {
    if (response.datasets_size() == size) {
      response.set_next_page_token(
          PageToken(kListMethod, absl::StrCat(row.id + 1)));
      break;
    }
    *response.add_datasets() = ToMessage(row);
  }
  return response;
}

}  // namespace moeprobe
