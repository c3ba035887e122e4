#ifndef MOEPROBE_CORE_TRAIN_TRAINING_FIXTURE_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_FIXTURE_H_

// For tests: a small model and a text that it can learn.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/plan/decoder_shape.h"
#include "core/train/token_split.h"
#include "core/train/training_options.h"

namespace moeprobe {

inline constexpr int64_t kFixtureVocabulary = 24;

// Two layers of four experts.
inline TrainingOptions FixtureOptions(
    ExpertKind expert = ExpertKind::kGeluMlp) {
  return {.shape = {.layers = 2,
                    .width = 16,
                    .heads = 2,
                    .context = 12,
                    .vocabulary = kFixtureVocabulary,
                    .experts = 4,
                    .expert_width = 20,
                    .expert = expert},
          .learning_rate = {.peak = 1e-2},
          .batch = 4,
          .steps = 20};
}

// One layer of four experts without attention, on 400 examples.
inline TrainingOptions MlpFixtureOptions(
    ExpertKind expert = ExpertKind::kGeluMlp) {
  return {.shape = {.layers = 1,
                    .width = 12,
                    .heads = 1,
                    .context = kExampleWindow,
                    .vocabulary = 400,
                    .experts = 4,
                    .expert_width = 20,
                    .expert = expert,
                    .outputs = 3},
          .examples = {.clusters = 3, .teacher_width = 8},
          .learning_rate = {.peak = 1e-2},
          .batch = 32,
          .steps = 20};
}

// 360 examples to learn from, 40 held out.
inline TokenSplit MlpFixtureExamples() { return SplitExamples(400, 0.1); }

// 900 tokens to learn from, 100 held out.
inline TokenSplit FixtureText() {
  std::vector<int32_t> ids(1000);
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<int32_t>(i * i / 7 % kFixtureVocabulary);
  }
  return SplitTokens(ids, 0.1, 12).value();
}

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_FIXTURE_H_
