#include "server/worker/task_tokens.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/crash_point.h"
#include "core/base/file_content.h"
#include "core/base/npy.h"
#include "core/base/pinned_file.h"
#include "core/base/sha256.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/model_directory.h"
#include "moeprobe/v1/job.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTokenizer = "tokenizer.json";
// Of what the server takes.
constexpr int64_t kMostBytes = int64_t{4} << 30;

absl::Status Unreadable(const absl::Status& status) {
  return WithContext(status, "cannot read the data set");
}

// Not one byte of what was altered, or cut short, since it was stored.
absl::StatusOr<std::string> ReadData(const fs::path& path) {
  auto bytes = ReadBlob(path, kMostBytes);
  if (!bytes.ok()) return Unreadable(bytes.status());
  return bytes;
}

absl::StatusOr<std::vector<int32_t>> ReadIds(const fs::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string npy, ReadData(path));
  return DecodeTokenIds(npy);
}

// Every byte is an id.
absl::StatusOr<std::vector<int32_t>> ReadBytes(const fs::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const std::string bytes, ReadData(path));
  std::vector<int32_t> ids;
  ids.reserve(bytes.size());
  for (const char byte : bytes) ids.push_back(static_cast<unsigned char>(byte));
  return ids;
}

}  // namespace

absl::StatusOr<std::vector<int32_t>> TaskTokens::OfPart(
    const v1::TaskPart& part, double fraction_done) {
  if (!part.tokenize()) return ReadIds(part.data_path());
  return Tokenize({.model = part.model(),
                   .model_directory = part.model_directory(),
                   .model_root = part.model_root(),
                   .path = part.data_path(),
                   .sha256 = part.text_sha256(),
                   .fraction_done = fraction_done});
}

absl::StatusOr<std::vector<int32_t>> TaskTokens::OfRun(
    const v1::TrainingRun& run) {
  switch (run.vocabulary_case()) {
    case v1::TrainingRun::kBytes:
      return ReadBytes(run.data_path());
    case v1::TrainingRun::kTokenizerDirectory:
      return Tokenize(
          {.model = fs::path(run.tokenizer_directory()).filename().string(),
           .model_directory = run.tokenizer_directory(),
           .model_root = run.tokenizer_root(),
           .path = run.data_path(),
           .sha256 = run.text_sha256()});
    default:
      return ReadIds(run.data_path());
  }
}

absl::StatusOr<std::vector<int32_t>> TaskTokens::Tokenize(const Text& text) {
  MOEPROBE_ASSIGN_OR_RETURN(
      const ModelDirectory directory,
      ModelDirectory::Open(text.model_directory, text.model_root));
  MOEPROBE_ASSIGN_OR_RETURN(const bool has_tokenizer,
                            directory.Contains(kTokenizer));
  if (!has_tokenizer) {
    return absl::FailedPreconditionError(
        absl::StrCat("model ", text.model,
                     " has no tokenizer.json: text cannot be tokenised, give "
                     "token ids (data.ids) instead"));
  }
  MOEPROBE_ASSIGN_OR_RETURN(const PinnedFile tokenizer,
                            directory.Find(kTokenizer));
  const absl::StatusOr<std::string> sha256 = Sha256OfFile(tokenizer.handle());
  if (!sha256.ok()) return tokenizer.Named(sha256.status());
  const auto known = tokenized_.find({text.sha256, *sha256});
  if (known != tokenized_.end()) return known->second;
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<int32_t> ids,
                            TokenizeAnew(text, tokenizer, *sha256));
  tokenized_[{text.sha256, *sha256}] = ids;
  return ids;
}

absl::StatusOr<std::vector<int32_t>> TaskTokens::TokenizeAnew(
    const Text& text, const PinnedFile& tokenizer,
    const std::string& tokenizer_sha256) {
  v1::Progress progress;
  progress.set_phase(absl::StrCat(text.model, ", tokenising"));
  progress.set_fraction(text.fraction_done);
  context_.heartbeat.Set(progress);

  const absl::Status is_whole = CheckBlob(text.path);
  if (!is_whole.ok()) return Unreadable(is_whole);
  // Another name in each attempt: the server may still be at that of one that
  // has died, and removes it.
  const fs::path output = fs::path(context_.task.scratch_directory()) /
                          absl::StrCat("token_ids_", context_.task.attempt(),
                                       "_", tokenized_.size(), ".npy");
  std::error_code error;
  fs::create_directories(output.parent_path(), error);
  MOEPROBE_ASSIGN_OR_RETURN(
      std::vector<int32_t> ids,
      TokenizeFile(options_, tokenizer, text.path, output,
                   [this] { return !context_.heartbeat.status().ok(); }));
  CrashPoint("worker-has-tokens");
  v1::StoreTokensRequest store;
  store.set_job(context_.task.job());
  store.set_attempt(context_.task.attempt());
  store.set_text_sha256(text.sha256);
  store.set_tokenizer_sha256(tokenizer_sha256);
  store.set_ids_path(output.string());
  MOEPROBE_RETURN_IF_ERROR(context_.link.StoreTokens(store));
  return ids;
}

}  // namespace moeprobe
