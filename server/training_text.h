#ifndef MOEPROBE_SERVER_TRAINING_TEXT_H_
#define MOEPROBE_SERVER_TRAINING_TEXT_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "moeprobe/v1/training.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"

namespace moeprobe {

// The token ids that models are trained on, as far as they are known before a
// worker sees them. Those of examples are their numbers, from 0 on.
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
  // Where they are known and no bytes.
  std::shared_ptr<const std::vector<int32_t>> ids = {};
};

// Returns the ids of resolved `data`. Errors: NotFound for a data set or a
// model that is not there; FailedPrecondition for a model that cannot tokenise,
// and what may pass (MayPass) for one that cannot at the moment; those of
// ReadBlob for ids.
absl::StatusOr<TrainingText> FindTrainingText(const v1::TrainingData& data,
                                              ModelRegistry& models,
                                              DataCatalog& catalog);

// Returns up to `count` ids from `begin` on, of a text whose ids are known.
// Errors, of bytes: those of OpenRegularFile and ReadSome; DataLoss if there
// are fewer than asked for.
absl::StatusOr<std::vector<int32_t>> IdsAt(const TrainingText& text,
                                           int64_t begin, int64_t count);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TRAINING_TEXT_H_
