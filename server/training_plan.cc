#include "server/training_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/numerics_version.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/base/token_windows.h"
#include "core/plan/held_out.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/data_catalog.h"
#include "server/job_plan.h"
#include "server/message_digest.h"
#include "server/model_registry.h"
#include "server/training_cells.h"
#include "server/training_text.h"
#include "server/variant_resolution.h"
#include "storage/fingerprint_store.h"

namespace moeprobe {
namespace {

// Of a directory's name: enough that no two runs share one.
constexpr size_t kDirectoryDigits = 16;

std::string Label(const v1::Variant& variant, int64_t seed) {
  return absl::StrCat(variant.name(), ", seed ", seed);
}

// A run, and what it is known by.
struct PlannedRun {
  v1::TrainingRun run;
  std::string digest;    // of all that determines its weights
  bool is_kept = false;  // all models that it keeps are there
};

std::string StepName(int64_t step) { return absl::StrCat("step-", step); }

// Whether all models of a run are there, each of which has its name once it is
// whole. A restored backup has none, and they go with the last job that has
// them; what was measured on them stays in the cache.
bool IsKept(const v1::TrainingRun& run) {
  const std::filesystem::path directory(run.directory());
  return std::ranges::all_of(run.kept_steps(), [&](int64_t step) {
    std::error_code error;
    return std::filesystem::exists(directory / StepName(step), error);
  });
}

PlannedRun PlanRun(const v1::TrainSpec& spec, const v1::Variant& variant,
                   int64_t seed, const std::vector<int64_t>& kept,
                   const TrainingText& text,
                   const std::filesystem::path& directory) {
  v1::TrainingRun run;
  *run.mutable_shape() = ShapeOf(variant, spec);
  run.set_vocabulary_size(text.vocabulary_size);
  if (HasExperts(variant)) {
    *run.mutable_routing() = RuleOf(variant, spec.model().experts());
  }
  *run.mutable_optimizer() = spec.optimizer();
  run.set_seed(seed);
  run.set_held_out(spec.data().held_out());
  const std::string digest =
      Sha256Hex(absl::StrCat("numerics=", kNumericsVersion,
                             "\ntext=", text.digest, "\n", DigestOf(run)));
  run.mutable_kept_steps()->Add(kept.begin(), kept.end());
  run.set_label(Label(variant, seed));
  run.set_data_path(text.path.string());
  run.set_text_sha256(text.text_sha256);
  if (spec.data().has_synthetic()) {
    *run.mutable_synthetic() = spec.data().synthetic();
  }
  if (text.is_bytes) run.set_bytes(true);
  if (!text.tokenizer_directory.empty()) {
    run.set_tokenizer_directory(text.tokenizer_directory.string());
    run.set_tokenizer_root(text.tokenizer_root.string());
  }
  const std::string name =
      Sha256Hex(absl::StrCat(digest, "\nkept=", absl::StrJoin(kept, ",")));
  run.set_directory((directory / name.substr(0, kDirectoryDigits)).string());
  const bool is_kept = IsKept(run);
  return {.run = std::move(run), .digest = digest, .is_kept = is_kept};
}

// What tokens models are probed on, whatever model it is.
struct ProbedTokens {
  v1::DataSpec windows;
  std::string digest;  // of what determines them
  std::optional<CutData> cut;
};

// Where the evaluated part of a text begins, and how many ids it has.
std::pair<int64_t, int64_t> EvaluatedPart(const v1::TrainSpec& spec,
                                          int64_t count) {
  const int64_t held_out = HeldOutCount(count, spec.data().held_out());
  if (spec.probe().evaluate_on() == v1::EVALUATION_TEXT_TRAIN) {
    return {0, count - held_out};
  }
  return {count - held_out, held_out};
}

// The evaluated part of a text of `count` ids, as far as it is needed.
TextPart NeededPart(const v1::TrainSpec& spec, int64_t count,
                    const std::string& digest) {
  const auto [begin, available] = EvaluatedPart(spec, count);
  const WindowOptions windows{.tokens = spec.probe().tokens(),
                              .sequence_length = WindowOf(spec)};
  const int64_t needed =
      windows.tokens < 0 ? available : std::min(windows.tokens, available);
  return {
      .begin = begin, .count = needed, .windows = windows, .digest = digest};
}

absl::StatusOr<ProbedTokens> PlanTokens(const v1::TrainSpec& spec,
                                        const TrainingText& text,
                                        DataCatalog& catalog) {
  ProbedTokens tokens;
  tokens.windows.set_tokens(spec.probe().tokens());
  tokens.windows.set_sequence_length(WindowOf(spec));
  tokens.windows.set_skip_first(0);
  tokens.digest = Sha256Hex(
      absl::StrCat("text=", text.digest, "\nheld_out=", spec.data().held_out(),
                   "\npart=", static_cast<int>(spec.probe().evaluate_on()),
                   "\n", DigestOf(tokens.windows)));
  if (text.token_count) {
    MOEPROBE_ASSIGN_OR_RETURN(
        tokens.cut,
        CutPart(text, NeededPart(spec, *text.token_count, tokens.digest),
                catalog));
  }
  return tokens;
}

// What is asked of a model, as an analysis of it would say it.
v1::AnalyzeSpec AnalysisOf(const v1::TrainSpec& spec, bool is_last) {
  v1::AnalyzeSpec analysis;
  *analysis.mutable_probes() = spec.probe().probes();
  if (is_last) *analysis.mutable_nulls() = spec.probe().nulls();
  analysis.set_precision(v1::PRECISION_FLOAT32);
  analysis.set_seed(spec.probe().seed());
  return analysis;
}

// Name of a model by which an analysis finds it.
std::string ModelName(const PlannedRun& run, int64_t step) {
  const std::filesystem::path directory(run.run.directory());
  return absl::StrCat("trained/", directory.filename().string(), "/",
                      StepName(step));
}

// Curves also depend on the steps at which they were taken, which the name of
// the run's directory stands for.
PlannedModel PlanModel(const TrainedCell& cell, const v1::TrainSpec& spec,
                       const PlannedRun& run, int run_index,
                       const ProbedTokens& tokens) {
  PlannedModel model{
      .model = {},
      .weights = absl::StrCat("trained ", run.digest, " step ", cell.step),
      .curves = absl::StrCat(run.digest, " as ", ModelName(run, cell.step)),
      .tokens = tokens.digest,
      .is_kept = run.is_kept};
  model.model.set_run(run_index);
  model.model.set_step(cell.step);
  model.model.set_curves(cell.gates < 0);
  model.model.set_evaluate_on(spec.probe().evaluate_on());
  return model;
}

PlannedPart PlanPart(const TrainedCell& cell, const v1::TrainSpec& spec,
                     const PlannedRun& run, int run_index,
                     const ProbedTokens& tokens) {
  const v1::Variant& variant = spec.variants(cell.variant);
  const bool is_swapped = cell.gates >= 0;
  PlannedPart part;
  part.prefix = PrefixOf(cell, spec);
  part.spec = AnalysisOf(spec, cell.step == spec.optimizer().steps());
  part.model.name = ModelName(run, cell.step);
  part.layer_count = static_cast<int32_t>(spec.model().layers());
  for (int32_t layer = 0; layer < part.layer_count; ++layer) {
    part.layers.push_back(layer);
  }
  part.nll = !is_swapped && !TrainsMlp(spec);
  if (spec.probe().probes().has_interventions() && HasExperts(variant) &&
      spec.model().experts() > 1 && !is_swapped) {
    part.edited_layers = part.layers;
  }
  if (is_swapped) {
    part.routing = RuleOf(spec.variants(cell.gates), spec.model().experts());
    part.routing->set_in_forward_pass(false);
  }
  part.data = tokens.windows;
  part.tokens = tokens.cut;
  part.trained = PlanModel(cell, spec, run, run_index, tokens);
  part.stamp = part.trained->weights;
  return part;
}

}  // namespace

absl::StatusOr<JobPlan> PlanTraining(const v1::TrainSpec& spec,
                                     const std::filesystem::path& directory,
                                     ModelRegistry& models,
                                     DataCatalog& catalog,
                                     FingerprintStore& fingerprints) {
  MOEPROBE_ASSIGN_OR_RETURN(const TrainingText text,
                            FindTrainingText(spec.data(), models, catalog));
  MOEPROBE_ASSIGN_OR_RETURN(const ProbedTokens tokens,
                            PlanTokens(spec, text, catalog));
  JobPlan plan;
  std::vector<PlannedRun> runs;
  const std::vector<int64_t> kept = KeptSteps(spec);
  for (const v1::Variant& variant : spec.variants()) {
    for (const int64_t seed : spec.seeds()) {
      runs.push_back(PlanRun(spec, variant, seed, kept, text, directory));
      plan.runs.push_back(runs.back().run);
    }
  }
  for (const TrainedCell& cell : CellsOf(spec)) {
    const auto seed = std::ranges::find(spec.seeds(), cell.seed);
    const int run = cell.variant * spec.seeds_size() +
                    static_cast<int>(seed - spec.seeds().begin());
    plan.parts.push_back(
        PlanPart(cell, spec, runs[static_cast<size_t>(run)], run, tokens));
    PlannedPart& part = plan.parts.back();
    MOEPROBE_ASSIGN_OR_RETURN(part.weights, fingerprints.Weights(part.stamp));
  }
  return plan;
}

}  // namespace moeprobe
