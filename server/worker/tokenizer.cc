#include "server/worker/tokenizer.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/npy.h"
#include "core/base/pinned_file.h"
#include "core/base/status_macros.h"
#include "server/worker/child_process.h"

namespace moeprobe {
namespace {

namespace fs = std::filesystem;

// That the server takes.
constexpr int64_t kMostIdBytes = int64_t{4} << 30;

ChildProcess Command(const TokenizerOptions& options,
                     const PinnedFile& tokenizer, const fs::path& text,
                     const fs::path& output) {
  return {
      // -I: neither the environment nor the current folder chooses modules.
      .arguments = {options.python, "-I", options.script, text, output,
                    "--cpu-seconds", absl::StrCat(options.cpu_seconds),
                    "--memory-bytes", absl::StrCat(options.memory_bytes)},
      // One thread: each more would claim address space of its own.
      .environment = {"LC_ALL=C.UTF-8", "TOKENIZERS_PARALLELISM=false",
                      "RAYON_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1",
                      "OMP_NUM_THREADS=1"},
      .input = tokenizer.handle(),
      .timeout = options.timeout,
      .cancelled = {},
  };
}

absl::StatusOr<std::vector<int32_t>> ReadIds(const fs::path& path) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileContent npy,
                            ReadFile(path, kMostIdBytes));
  return DecodeTokenIds(npy.bytes);
}

}  // namespace

TokenizerOptions DefaultTokenizerOptions() {
  TokenizerOptions options;
  options.python = MOEPROBE_TOKENIZER_PYTHON;
  options.script = MOEPROBE_TOKENIZER_SCRIPT;
  std::error_code none;
  if (!fs::exists(options.script, none)) {
    options.script = MOEPROBE_INSTALLED_TOKENIZER_SCRIPT;
  }
  return options;
}

absl::StatusOr<std::vector<int32_t>> TokenizeFile(
    const TokenizerOptions& options, const PinnedFile& tokenizer,
    const fs::path& text, const fs::path& output,
    const std::function<bool()>& cancelled) {
  ChildProcess command = Command(options, tokenizer, text, output);
  command.cancelled = cancelled;
  if (absl::Status status = RunToEnd(command); !status.ok()) {
    return tokenizer.Named(
        absl::Status(status.code() == absl::StatusCode::kNotFound
                         ? absl::StatusCode::kFailedPrecondition
                         : status.code(),
                     absl::StrCat("tokenising ", text.string(), " with ",
                                  tokenizer.handle().string(), ": ",
                                  std::string(status.message()))));
  }
  return ReadIds(output);
}

}  // namespace moeprobe
