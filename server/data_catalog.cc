#include "server/data_catalog.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "core/base/token_windows.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/byte_budget.h"
#include "server/resource_name.h"
#include "storage/access.h"
#include "storage/blob_store.h"
#include "storage/dataset_store.h"
#include "storage/fingerprint_store.h"

namespace moeprobe {
namespace {

constexpr size_t kFirstIdCount = 16;

// The file and, if its ids have one byte each, four for each of them.
constexpr int64_t kMostMemoryPerByte = 5;

// 0 if there is no such file.
int64_t SizeOf(const std::filesystem::path& file) {
  std::error_code error;
  const auto size_bytes = std::filesystem::file_size(file, error);
  return error ? 0 : static_cast<int64_t>(size_bytes);
}

WindowOptions WindowsOf(const v1::DataSpec& data) {
  return {.tokens = data.tokens(),
          .sequence_length = data.sequence_length(),
          .skip_first = data.skip_first()};
}

}  // namespace

absl::StatusOr<CutData> CutIds(std::vector<int32_t> ids,
                               const WindowOptions& windows) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::vector<int32_t> cut,
                            CutWindows(std::move(ids), windows));
  const size_t shown = std::min(cut.size(), kFirstIdCount);
  return CutData{
      .fingerprint = DataFingerprint(cut, windows),
      .token_count = static_cast<int64_t>(cut.size()),
      .first_ids = {cut.begin(), cut.begin() + static_cast<ptrdiff_t>(shown)}};
}

DataCatalog DataCatalog::SeenBy(const Viewer& viewer) const {
  DataCatalog catalog = *this;
  catalog.viewer_ = viewer;
  return catalog;
}

absl::StatusOr<DatasetRow> DataCatalog::Find(const std::string& name) {
  if (!absl::StartsWith(name, "datasets/")) {
    return datasets_->GetByDisplayName(viewer_, name);
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::string sha256, ParseDatasetName(name));
  return datasets_->Get(viewer_, sha256);
}

absl::StatusOr<std::optional<std::string>> DataCatalog::IdsSha256(
    const v1::DataSpec& data, const std::string& tokenizer_sha256) {
  if (!data.has_text()) return ParseDatasetName(data.ids());
  MOEPROBE_ASSIGN_OR_RETURN(const std::string text,
                            ParseDatasetName(data.text()));
  return fingerprints_->Tokenization(text, tokenizer_sha256);
}

absl::StatusOr<TokenIdSummary> DataCatalog::Summarize(
    const std::string& ids_sha256) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto known,
                            fingerprints_->TokenIds(ids_sha256));
  if (known) return *known;
  TokenIdCheck check(SizeOf(blobs_->PathOf(ids_sha256)));
  MOEPROBE_RETURN_IF_ERROR(
      blobs_->ReadInPieces(ids_sha256, [&](std::string_view piece) {
        check.Append(piece);
        return absl::OkStatus();
      }));
  MOEPROBE_ASSIGN_OR_RETURN(const TokenIdSummary found, check.End());
  MOEPROBE_RETURN_IF_ERROR(fingerprints_->RememberTokenIds(ids_sha256, found));
  return found;
}

absl::StatusOr<std::vector<int32_t>> DataCatalog::ReadIds(
    const std::string& ids_sha256) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string npy, blobs_->Read(ids_sha256));
  return DecodeTokenIds(npy);
}

int64_t DataCatalog::BytesToRead(const std::string& ids_sha256) const {
  return kMostMemoryPerByte * SizeOf(blobs_->PathOf(ids_sha256));
}

absl::StatusOr<CutData> DataCatalog::CutOnce(const std::string& digest,
                                             const WindowOptions& windows,
                                             Bytes bytes, Read read) {
  MOEPROBE_ASSIGN_OR_RETURN(auto known, fingerprints_->Data(digest, windows));
  if (known) return *std::move(known);
  const ByteBudget::Share share(*memory_, bytes());
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<int32_t> ids, read());
  MOEPROBE_ASSIGN_OR_RETURN(CutData cut, CutIds(std::move(ids), windows));
  MOEPROBE_RETURN_IF_ERROR(fingerprints_->RememberData(digest, windows, cut));
  return cut;
}

absl::StatusOr<std::optional<CutData>> DataCatalog::Cut(
    const v1::DataSpec& data, const std::string& tokenizer_sha256) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto ids, IdsSha256(data, tokenizer_sha256));
  if (!ids) return std::nullopt;
  return CutOnce(
      *ids, WindowsOf(data), [&] { return BytesToRead(*ids); },
      [&] { return ReadIds(*ids); });
}

absl::StatusOr<DataLocation> DataCatalog::Locate(
    const v1::DataSpec& data, const std::string& tokenizer_sha256) {
  MOEPROBE_ASSIGN_OR_RETURN(const auto ids, IdsSha256(data, tokenizer_sha256));
  if (ids) {
    return DataLocation{.path = blobs_->PathOf(*ids), .ids_sha256 = *ids};
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::string text,
                            ParseDatasetName(data.text()));
  return DataLocation{
      .path = blobs_->PathOf(text), .tokenize = true, .text_sha256 = text};
}

}  // namespace moeprobe
