#ifndef MOEPROBE_SERVER_WORKER_TOKENIZER_H_
#define MOEPROBE_SERVER_WORKER_TOKENIZER_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/pinned_file.h"

namespace moeprobe {

// How the tokenizer's process is started, and its limits.
struct TokenizerOptions {
  std::filesystem::path python;  // an interpreter with tokenizers and numpy
  std::filesystem::path script;  // tokenize_text.py
  int64_t cpu_seconds = 600;
  int64_t memory_bytes = int64_t{8} << 30;  // of address space
  absl::Duration timeout = absl::Minutes(20);
};

// Returns options with the interpreter and script this build was made with:
// the script in the source tree where that still is, else the installed one.
TokenizerOptions DefaultTokenizerOptions();

// Tokenises a whole UTF-8 text with a model's tokenizer.json, as
// tokenizers.Tokenizer.encode(text) does, in a process of its own: whatever a
// hostile file makes of it, it ends within its limits. Writes the ids to
// `output`, a one-dimensional int32 .npy, complete or not at all, and returns
// them. The process is handed the file that was found, not its path, which may
// lead elsewhere by then. `cancelled` is polled; empty: never.
//
// Errors, in one line that names tokenizer and text: FailedPrecondition for a
// bad tokenizer, text or environment, and for too little memory;
// ResourceExhausted past the processor time; Unavailable where a disk has no
// room or fails, and another try may help; DeadlineExceeded; Cancelled.
absl::StatusOr<std::vector<int32_t>> TokenizeFile(
    const TokenizerOptions& options, const PinnedFile& tokenizer,
    const std::filesystem::path& text, const std::filesystem::path& output,
    const std::function<bool()>& cancelled = {});

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_WORKER_TOKENIZER_H_
