#ifndef MOEPROBE_SERVER_TRAINING_TEXT_H_
#define MOEPROBE_SERVER_TRAINING_TEXT_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/token_windows.h"
#include "moeprobe/v1/training.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "storage/fingerprint_store.h"

namespace moeprobe {

// The token ids that models are trained on, as far as they are known before a
// worker sees them. Those of examples are their numbers, from 0 on. What text
// and ids hold is not in memory: they may be large.
struct TrainingText {
  // Of text, or of ids as .npy; empty where examples are drawn.
  std::filesystem::path path = {};
  bool is_bytes = false;  // every byte of it is an id
  // Of the model whose tokenizer makes ids of it; empty: it has ids, or bytes.
  std::filesystem::path tokenizer_directory = {};
  std::filesystem::path tokenizer_root = {};  // its symbolic links end inside
  std::string text_sha256 = {};               // where there is a tokenizer
  std::string digest = {};                    // of all that determines the ids
  int64_t vocabulary_size = 0;                // or the number of examples
  std::optional<int64_t> token_count = {};    // nullopt: never tokenised
  std::string ids_sha256 = {};                // of a blob of ids
};

// A part of a text, as it is cut into windows.
struct TextPart {
  int64_t begin = 0;
  int64_t count = 0;
  WindowOptions windows;
  std::string digest;  // of the text and all of the above
};

// Returns the ids of resolved `data`. Errors: NotFound for a data set or a
// model that is not there; FailedPrecondition for a model that cannot tokenise,
// and what may pass (MayPass) for one that cannot at the moment; those of
// DataCatalog::Summarize for ids.
absl::StatusOr<TrainingText> FindTrainingText(const v1::TrainingData& data,
                                              ModelRegistry& models,
                                              DataCatalog& catalog);

// Cuts a part of a text whose ids are known. Errors: those of CutWindows; of
// bytes, those of OpenRegularFile and ReadSome, and DataLoss if there are fewer
// than asked for; of ids, those of DataCatalog::ReadIds.
absl::StatusOr<CutData> CutPart(const TrainingText& text, const TextPart& part,
                                DataCatalog& catalog);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TRAINING_TEXT_H_
