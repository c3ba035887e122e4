#include "server/training_text.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/disk_error.h"
#include "core/base/file_descriptor.h"
#include "core/base/npy.h"
#include "core/base/quoted.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "server/data_catalog.h"
#include "server/message_digest.h"
#include "server/model_registry.h"
#include "storage/dataset_store.h"
#include "storage/fingerprint_store.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBytes = "bytes";
constexpr int64_t kByteCount = 256;
// A byte, and the id that it becomes.
constexpr int64_t kMemoryPerByte = 5;

// Not the whole blob, which may be large and decides nothing here: a worker
// looks at all of it before it computes.
absl::StatusOr<std::string> ReadPiece(const fs::path& path, int64_t begin,
                                      int64_t count) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileDescriptor file, OpenRegularFile(path));
  if (lseek(file.number(), begin, SEEK_SET) < 0) return DiskError(errno, path);
  std::string bytes(static_cast<size_t>(count), '\0');
  for (std::span<char> left(bytes); !left.empty();) {
    MOEPROBE_ASSIGN_OR_RETURN(const size_t size, ReadSome(file, left, path));
    if (size == 0) {
      return absl::DataLossError(absl::StrCat(
          path.native(), ": ends after ", begin + count - std::ssize(left),
          " bytes, expected ", begin + count, " or more: it is damaged"));
    }
    left = left.subspan(size);
  }
  return bytes;
}

absl::StatusOr<std::vector<int32_t>> ReadBytes(const TrainingText& text,
                                               const TextPart& part) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string bytes,
                            ReadPiece(text.path, part.begin, part.count));
  std::vector<int32_t> ids;
  for (const char byte : bytes) ids.push_back(static_cast<uint8_t>(byte));
  return ids;
}

absl::StatusOr<std::vector<int32_t>> ReadIds(const TrainingText& text,
                                             const TextPart& part,
                                             DataCatalog& catalog) {
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<int32_t> ids,
                            catalog.ReadIds(text.ids_sha256));
  const int64_t end = std::min(part.begin + part.count, std::ssize(ids));
  ids.erase(ids.begin() + end, ids.end());
  ids.erase(ids.begin(), ids.begin() + std::min(part.begin, end));
  return ids;
}

std::vector<int32_t> NumbersOf(const TextPart& part) {
  std::vector<int32_t> numbers(static_cast<size_t>(part.count));
  std::iota(numbers.begin(), numbers.end(), static_cast<int32_t>(part.begin));
  return numbers;
}

absl::StatusOr<TrainingText> FindIds(const v1::TrainingData& data,
                                     DataCatalog& catalog) {
  v1::DataSpec source;
  source.set_ids(data.ids());
  MOEPROBE_ASSIGN_OR_RETURN(const DataLocation location,
                            catalog.Locate(source, ""));
  MOEPROBE_ASSIGN_OR_RETURN(const TokenIdSummary ids,
                            catalog.Summarize(location.ids_sha256));
  return TrainingText{.path = location.path,
                      .digest = data.ids(),
                      .vocabulary_size = int64_t{ids.largest} + 1,
                      .token_count = ids.count,
                      .ids_sha256 = location.ids_sha256};
}

absl::StatusOr<TrainingText> FindBytes(const v1::TrainingData& data,
                                       const v1::DataSpec& source,
                                       DataCatalog& catalog) {
  MOEPROBE_ASSIGN_OR_RETURN(const DatasetRow row, catalog.Find(data.text()));
  MOEPROBE_ASSIGN_OR_RETURN(const DataLocation location,
                            catalog.Locate(source, ""));
  return TrainingText{.path = location.path,
                      .is_bytes = true,
                      .digest = absl::StrCat("bytes of ", data.text()),
                      .vocabulary_size = kByteCount,
                      .token_count = row.size_bytes};
}

absl::StatusOr<TrainingText> FindTokenised(const v1::TrainingData& data,
                                           const v1::DataSpec& source,
                                           ModelRegistry& models,
                                           DataCatalog& catalog) {
  MOEPROBE_ASSIGN_OR_RETURN(const OpenedModel model,
                            models.Find(data.vocabulary()));
  if (!model.problem.ok()) {
    return WithContext(
        ReasonToRefuse(model),
        absl::StrCat("model ", Quoted(model.name), " cannot be used"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const std::string tokenizer,
                            models.TokenizerSha256(model));
  MOEPROBE_ASSIGN_OR_RETURN(const DataLocation location,
                            catalog.Locate(source, tokenizer));
  TrainingText text{
      .path = location.path,
      .digest = absl::StrCat(data.text(), " by ", tokenizer),
      .vocabulary_size = model.checkpoint->config().vocabulary_size};
  if (location.tokenize) {
    text.tokenizer_directory = model.directory;
    text.tokenizer_root = model.root;
    text.text_sha256 = location.text_sha256;
    return text;
  }
  MOEPROBE_ASSIGN_OR_RETURN(const TokenIdSummary ids,
                            catalog.Summarize(location.ids_sha256));
  text.token_count = ids.count;
  text.ids_sha256 = location.ids_sha256;
  return text;
}

TrainingText NumberExamples(const v1::SyntheticData& data) {
  return {.digest = absl::StrCat("synthetic ", DigestOf(data)),
          .vocabulary_size = data.examples(),
          .token_count = data.examples()};
}

}  // namespace

absl::StatusOr<TrainingText> FindTrainingText(const v1::TrainingData& data,
                                              ModelRegistry& models,
                                              DataCatalog& catalog) {
  if (data.has_synthetic()) return NumberExamples(data.synthetic());
  if (data.has_ids()) return FindIds(data, catalog);
  v1::DataSpec source;
  source.set_text(data.text());
  return data.vocabulary() == kBytes
             ? FindBytes(data, source, catalog)
             : FindTokenised(data, source, models, catalog);
}

absl::StatusOr<CutData> CutPart(const TrainingText& text, const TextPart& part,
                                DataCatalog& catalog) {
  if (text.is_bytes) {
    return catalog.CutOnce(
        part.digest, part.windows, [&] { return kMemoryPerByte * part.count; },
        [&] { return ReadBytes(text, part); });
  }
  if (text.ids_sha256.empty()) return CutIds(NumbersOf(part), part.windows);
  return catalog.CutOnce(
      part.digest, part.windows,
      [&] { return catalog.BytesToRead(text.ids_sha256); },
      [&] { return ReadIds(text, part, catalog); });
}

}  // namespace moeprobe
