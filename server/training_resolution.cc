#include "server/training_resolution.h"

#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/machine_memory.h"
#include "core/plan/decoder_shape.h"
#include "core/plan/held_out.h"
#include "core/plan/training_cost.h"
#include "moeprobe/v1/training.pb.h"
#include "server/choice.h"
#include "server/data_catalog.h"
#include "server/data_resolution.h"
#include "server/label.h"
#include "server/model_registry.h"
#include "server/model_shape_resolution.h"
#include "server/number_range.h"
#include "server/optimizer_resolution.h"
#include "server/synthetic_resolution.h"
#include "server/training_cells.h"
#include "server/training_probe_resolution.h"
#include "server/training_text.h"
#include "server/variant_resolution.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr int kMostSeeds = 64;
// Of all models and steps: what a result can list.
constexpr int64_t kMostLayers = 5000;
constexpr int64_t kMostKeptSteps = 1000;
constexpr int64_t kMostTokensOfStep = int64_t{1} << 20;
// Of a model. It is held four times over while it is trained.
constexpr int64_t kMostParameters = int64_t{1} << 30;

void ResolveSeeds(v1::TrainSpec& spec, Violations& violations) {
  if (spec.seeds().empty()) spec.add_seeds(0);
  if (spec.seeds_size() > kMostSeeds) {
    violations.Add("seeds",
                   absl::StrCat(spec.seeds_size(), " seeds, expected at most ",
                                kMostSeeds));
  }
  std::set<int64_t> seen;
  for (int i = 0; i < spec.seeds_size(); ++i) {
    const int64_t seed = spec.seeds(i);
    const std::string field = absl::StrCat("seeds[", i, "]");
    if (seed < 0) {
      violations.Add(field,
                     absl::StrCat(seed, " is negative, expected 0 or more"));
    } else if (!seen.insert(seed).second) {
      violations.Add(field, absl::StrCat(seed, " stands there twice"));
    }
  }
}

v1::TrainingTask ResolveTask(v1::TrainingTask asked, Violations& violations) {
  if (asked == v1::TRAINING_TASK_UNSPECIFIED) {
    return v1::TRAINING_TASK_LANGUAGE_MODEL;
  }
  CheckChoice(asked, "task", violations);
  return asked;
}

// What is text, or has been.
void ResolveText(v1::TrainingData& data, DataCatalog& catalog,
                 Violations& violations) {
  if (data.has_text()) {
    data.set_text(
        ResolveDataset(data.text(), true, "data.text", catalog, violations));
    if (data.vocabulary().empty()) data.set_vocabulary("bytes");
  } else if (data.has_ids()) {
    data.set_ids(
        ResolveDataset(data.ids(), false, "data.ids", catalog, violations));
    if (!data.vocabulary().empty()) {
      violations.Add("data.vocabulary", "has no meaning for token ids");
    }
  } else if (data.has_synthetic()) {
    violations.Add("data.synthetic",
                   "is no text, expected text or ids, or task mlp");
  } else {
    violations.Add("data", "neither text nor ids, expected one of the two");
  }
}

void ResolveExamples(v1::TrainingData& data, Violations& violations) {
  if (data.has_text() || data.has_ids()) {
    violations.Add(data.has_text() ? "data.text" : "data.ids",
                   "has no meaning for task mlp, expected synthetic");
    return;
  }
  if (!data.has_synthetic()) {
    violations.Add("data", "synthetic is missing, expected it for task mlp");
  }
  if (!data.vocabulary().empty()) {
    violations.Add("data.vocabulary", "has no meaning for examples");
  }
  *data.mutable_synthetic() = ResolveSynthetic(data.synthetic(), violations);
}

v1::TrainingData ResolveSource(const v1::TrainingData& asked,
                               v1::TrainingTask task, DataCatalog& catalog,
                               Violations& violations) {
  v1::TrainingData data = asked;
  if (task == v1::TRAINING_TASK_MLP) {
    ResolveExamples(data, violations);
  } else {
    ResolveText(data, catalog, violations);
  }
  if (!asked.has_held_out()) data.set_held_out(0.1);
  const bool is_share = data.held_out() >= 0 && data.held_out() < 1;
  if (!is_share) {
    violations.Add("data.held_out",
                   absl::StrCat(data.held_out(),
                                " is out of range, expected 0 to below 1"));
  }
  return data;
}

// What is wrong with the ids, as far as they are known. A part that is asked
// for has to hold a window and the token after it, or a window of examples.
void CheckText(const TrainingText& text, const v1::TrainSpec& spec,
               Violations& violations) {
  if (!text.token_count) return;
  const bool is_mlp = TrainsMlp(spec);
  const int64_t least = WindowOf(spec) + (is_mlp ? 0 : 1);
  const char* const what = is_mlp ? " examples" : " tokens";
  const std::string expected = absl::StrCat(
      "at least ", is_mlp ? "a window" : "a window and the next", ", ", least);
  const int64_t held_out =
      HeldOutCount(*text.token_count, spec.data().held_out());
  const int64_t learned = *text.token_count - held_out;
  if (learned < least) {
    violations.Add("data", absl::StrCat(learned, what,
                                        " to learn from, expected ", expected));
  } else if (spec.data().held_out() > 0 && held_out < least) {
    violations.Add("data.held_out",
                   absl::StrCat(held_out, what, " are held out, expected 0 or ",
                                expected));
  }
}

// Whether models of a variant can be trained on this machine.
void CheckVariantSize(const v1::Variant& variant, const v1::TrainSpec& spec,
                      const TrainingText& text, Violations& violations) {
  const DecoderShape shape =
      ShapeOf(ShapeOf(variant, spec), text.vocabulary_size,
              spec.data().synthetic().outputs());
  const int64_t parameters = ParameterCount(shape);
  if (parameters > kMostParameters) {
    violations.Add("model", absl::StrCat(parameters, " parameters in variant ",
                                         variant.name(), ", expected at most ",
                                         kMostParameters));
    return;
  }
  const int64_t per_token =
      RuleOf(variant, spec.model().experts()).expert_count();
  const int64_t bytes =
      TrainingBytes(shape, per_token, spec.optimizer().batch());
  if (bytes <= MachineMemoryBytes()) return;
  violations.Add("optimizer.batch",
                 absl::StrCat("variant ", variant.name(), " takes ", bytes,
                              " bytes of memory while it is trained, this "
                              "machine has ",
                              MachineMemoryBytes()));
}

// What a job may list, keep and hold, before any of it is made.
void CheckSize(const v1::TrainSpec& spec, const TrainingText& text,
               Violations& violations) {
  const int64_t layers = CountParts(spec) * spec.model().layers();
  if (layers > kMostLayers) {
    violations.Add("probe.every",
                   absl::StrCat(layers,
                                " layers are probed, over variants, seeds, "
                                "steps and swapped gates, expected at most ",
                                kMostLayers));
  }
  if (CountKeptSteps(spec) > kMostKeptSteps) {
    violations.Add("checkpoint.every",
                   absl::StrCat(CountKeptSteps(spec),
                                " models of a run are kept, expected at most ",
                                kMostKeptSteps));
  }
  const int64_t tokens =
      spec.optimizer().batch() * (TrainsMlp(spec) ? 1 : WindowOf(spec));
  if (tokens > kMostTokensOfStep) {
    violations.Add(
        "optimizer.batch",
        absl::StrCat(tokens, TrainsMlp(spec) ? " examples" : " tokens",
                     " a step, expected at most ", kMostTokensOfStep));
  }
  if (!violations.empty()) return;
  for (const v1::Variant& variant : spec.variants()) {
    CheckVariantSize(variant, spec, text, violations);
    if (!violations.empty()) return;
  }
}

}  // namespace

ResolvedTraining ResolveTraining(const v1::TrainSpec& asked,
                                 ModelRegistry& models, DataCatalog& catalog) {
  ResolvedTraining result{.spec = asked, .violations = {}};
  v1::TrainSpec& spec = result.spec;
  Violations& violations = result.violations;
  CheckLabel(asked.name(), violations);
  spec.set_task(ResolveTask(asked.task(), violations));
  *spec.mutable_model() =
      ResolveModelShape(asked.model(), spec.task(), violations);
  ResolveVariants(spec, violations);
  ResolveSeeds(spec, violations);
  *spec.mutable_data() =
      ResolveSource(asked.data(), spec.task(), catalog, violations);
  *spec.mutable_optimizer() =
      ResolveOptimizer(asked.optimizer(), spec.task(), violations);
  *spec.mutable_probe() = ResolveTrainingProbe(asked.probe(), spec, violations);
  if (!asked.checkpoint().has_every()) {
    spec.mutable_checkpoint()->set_every(500);
  }
  CheckRanges("checkpoint",
              {{.field = "every",
                .value = spec.checkpoint().every(),
                .least = 1,
                .most = kMostSteps}},
              violations);
  if (!violations.empty()) return result;
  const auto text = FindTrainingText(spec.data(), models, catalog);
  if (!text.ok()) {
    violations.Add("data", text.status());
    return result;
  }
  CheckText(*text, spec, violations);
  if (violations.empty()) CheckSize(spec, *text, violations);
  return result;
}

}  // namespace moeprobe
