#ifndef MOEPROBE_SERVER_WORKER_TASK_TOKENS_H_
#define MOEPROBE_SERVER_WORKER_TASK_TOKENS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/pinned_file.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/worker/task_context.h"
#include "server/worker/tokenizer.h"

namespace moeprobe {

// Token ids of the parts and runs of one task. A text that several of them
// share is tokenised once, and the server keeps what it became. Not
// thread-safe.
class TaskTokens {
 public:
  // `options` must outlive the object.
  TaskTokens(const TaskContext& context, const TokenizerOptions& options)
      : context_(context), options_(options) {}

  // Both name what is missing or unreadable: errors of ReadBlob for the data
  // set, FailedPrecondition for a tokenizer, also one that leads out of its
  // model root, InvalidArgument for ids that are none; and errors of
  // TokenizeFile.
  absl::StatusOr<std::vector<int32_t>> OfPart(const v1::TaskPart& part,
                                              double fraction_done);
  absl::StatusOr<std::vector<int32_t>> OfRun(const v1::TrainingRun& run);

 private:
  // Text, and what makes ids of it.
  struct Text {
    std::string model;  // for messages
    std::filesystem::path model_directory;
    std::filesystem::path model_root;
    std::filesystem::path path;
    std::string sha256;
    double fraction_done = 0;  // of the task
  };

  absl::StatusOr<std::vector<int32_t>> Tokenize(const Text& text);
  absl::StatusOr<std::vector<int32_t>> TokenizeAnew(
      const Text& text, const PinnedFile& tokenizer,
      const std::string& tokenizer_sha256);

  TaskContext context_;
  const TokenizerOptions& options_;
  // By digests of text and tokenizer.
  std::map<std::pair<std::string, std::string>, std::vector<int32_t>>
      tokenized_;
};

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TASK_TOKENS_H_
