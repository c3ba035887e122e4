#include "server/analysis_resolution.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/quoted.h"
#include "core/base/status_context.h"
#include "core/checkpoint/model_config.h"
#include "moeprobe/v1/analysis.pb.h"
#include "server/choice.h"
#include "server/data_catalog.h"
#include "server/data_resolution.h"
#include "server/label.h"
#include "server/layer_resolution.h"
#include "server/model_registry.h"
#include "server/null_resolution.h"
#include "server/probe_resolution.h"
#include "server/routing_resolution.h"
#include "server/sweep_resolution.h"
#include "server/violations.h"
#include "spec/scalar_field.h"

namespace moeprobe {
namespace {

constexpr int kMaxDataCount = 64;

// Loaders that trust a checkpoint might compute with code it brings.
void WarnOfOwnCode(const OpenedModel& model, ResolvedAnalysis& result) {
  const ModelConfig& config = model.checkpoint->config();
  if (!config.names_own_code) return;
  result.warnings.push_back(absl::StrCat(
      "model ", Quoted(model.name),
      ": config.json names code of its own (auto_map), which is not run: it is "
      "analysed as any ",
      config.family));
}

// Returns the model, if it can be analysed.
std::optional<OpenedModel> FindModel(const std::string& name,
                                     const std::string& field,
                                     ModelRegistry& models,
                                     ResolvedAnalysis& result) {
  if (name.empty()) {
    result.violations.Add(field, "missing");
    return std::nullopt;
  }
  auto model = models.Find(name);
  if (!model.ok()) {
    result.violations.Add(field, model.status());
    return std::nullopt;
  }
  if (!model->problem.ok()) {
    result.violations.Add(
        field, WithContext(ReasonToRefuse(*model),
                           absl::StrCat(Quoted(name), " cannot be analysed")));
    return std::nullopt;
  }
  WarnOfOwnCode(*model, result);
  return *model;
}

int64_t LayerCount(const OpenedModel& model) {
  return static_cast<int64_t>(model.checkpoint->config().layers.size());
}

// Adds what asks for the loss of the next token where none is predicted.
void CheckLoss(const v1::AnalyzeSpec& spec, const OpenedModel& model,
               Violations& violations) {
  if (!model.checkpoint->config().is_mlp) return;
  const std::string why =
      absl::StrCat("has no meaning here: ", Quoted(model.name),
                   " has no next token to predict");
  if (spec.nll()) violations.Add("nll", why);
  if (spec.probes().has_interventions()) {
    violations.Add("probes.interventions", why);
  }
}

// Adds what is wrong with the tokens of one data set for one model, as far as
// it is known before they are needed.
void CheckTokens(const v1::DataSpec& data, const std::string& field,
                 const OpenedModel& model, ModelRegistry& models,
                 DataCatalog& catalog, Violations& violations) {
  const int64_t positions = model.checkpoint->config().position_count;
  if (positions > 0 && data.sequence_length() > positions) {
    violations.Add(field + ".sequence_length",
                   absl::StrCat(data.sequence_length(), ", expected at most ",
                                positions, ": ", Quoted(model.name),
                                " has learned no more positions"));
    return;
  }
  std::string tokenizer;
  if (data.has_text()) {
    const auto digest = models.TokenizerSha256(model);
    if (!digest.ok()) {
      violations.Add(field + ".text", digest.status());
      return;
    }
    tokenizer = *digest;
  }
  const auto cut = catalog.Cut(data, tokenizer);
  if (!cut.ok()) {
    violations.Add(field, cut.status());
  }
}

void CompareTokenizers(const OpenedModel& model, const OpenedModel& baseline,
                       ModelRegistry& models, ResolvedAnalysis& result) {
  const auto& data = result.spec.data();
  if (std::ranges::none_of(
          data, [](const v1::DataSpec& spec) { return spec.has_text(); })) {
    return;
  }
  const auto own = models.TokenizerSha256(model);
  const auto other = models.TokenizerSha256(baseline);
  if (own.ok() && other.ok() && *own != *other) {
    result.warnings.push_back(absl::StrCat(
        "baseline ", Quoted(baseline.name),
        " has another tokenizer than the model and sees other token ids"));
  }
}

void ResolveScalars(const v1::AnalyzeSpec& asked, ResolvedAnalysis& result) {
  v1::AnalyzeSpec& spec = result.spec;
  if (asked.precision() == v1::PRECISION_UNSPECIFIED) {
    spec.set_precision(v1::PRECISION_FLOAT32);
  } else {
    CheckChoice(asked.precision(), "precision", result.violations);
  }
  if (asked.device() == v1::DEVICE_UNSPECIFIED) {
    spec.set_device(v1::DEVICE_AUTO);
  } else {
    CheckChoice(asked.device(), "device", result.violations);
  }
  if (asked.seed() < 0) {
    result.violations.Add("seed", absl::StrCat(asked.seed(),
                                               " is negative, expected 0 or "
                                               "more"));
  }
  spec.set_seed(asked.seed());
  spec.set_nll(asked.nll());
}

void ResolveAllData(ResolvedAnalysis& result, DataCatalog& catalog) {
  v1::AnalyzeSpec& spec = result.spec;
  if (spec.data().empty()) result.violations.Add("data", "missing");
  if (spec.data_size() > kMaxDataCount) {
    result.violations.Add(
        "data", absl::StrCat(spec.data_size(), " data sets, expected at most ",
                             kMaxDataCount));
    return;
  }
  for (int i = 0; i < spec.data_size(); ++i) {
    *spec.mutable_data(i) =
        ResolveData(spec.data(i), absl::StrCat("data[", i, "]"), catalog,
                    result.violations);
  }
}

// Resolves a request without its sweep.
ResolvedAnalysis ResolveOne(const v1::AnalyzeSpec& asked, ModelRegistry& models,
                            DataCatalog& catalog) {
  ResolvedAnalysis result;
  result.spec = asked;
  CheckLabel(asked.name(), result.violations);
  ResolveScalars(asked, result);
  *result.spec.mutable_nulls() = ResolveNulls(asked.nulls(), result.violations);
  ResolveAllData(result, catalog);
  const auto model = FindModel(asked.model(), "model", models, result);
  std::optional<OpenedModel> baseline;
  if (!asked.baseline().empty()) {
    baseline = FindModel(asked.baseline(), "baseline", models, result);
  }
  // Without a model there is nothing to hold layers and widths against.
  if (!model) return result;
  int64_t width = model->checkpoint->config().width;
  if (baseline) width = std::min(width, baseline->checkpoint->config().width);
  *result.spec.mutable_probes() =
      ResolveProbes(asked, width, result.violations);
  if (asked.has_routing()) {
    *result.spec.mutable_routing() =
        ResolveRouting(asked.routing(), model->checkpoint->config().experts,
                       result.violations);
  }
  *result.spec.mutable_layers() =
      ResolveLayers(asked.layers(), LayerCount(*model), result.violations);
  CheckLoss(result.spec, *model, result.violations);
  if (baseline) CheckLoss(result.spec, *baseline, result.violations);
  if (!result.violations.empty()) return result;
  for (int i = 0; i < result.spec.data_size(); ++i) {
    const std::string field = absl::StrCat("data[", i, "]");
    CheckTokens(result.spec.data(i), field, *model, models, catalog,
                result.violations);
    if (baseline) {
      CheckTokens(result.spec.data(i), field, *baseline, models, catalog,
                  result.violations);
    }
  }
  if (baseline) CompareTokenizers(*model, *baseline, models, result);
  return result;
}

// The request that all cells of a sweep start from. Windows are checked by the
// first values of their axes: a default may not fit.
v1::AnalyzeSpec WithoutSweep(const v1::AnalyzeSpec& asked) {
  v1::AnalyzeSpec base = asked;
  base.clear_sweep();
  for (const v1::SweepAxis& axis : asked.sweep()) {
    if (absl::StartsWith(axis.field(), "routing.")) base.mutable_routing();
    if (absl::StartsWith(axis.field(), "data.") && axis.values_size() > 0) {
      SetField(axis.field(), axis.values(0), base).IgnoreError();
    }
  }
  return base;
}

}  // namespace

ResolvedAnalysis ResolveAnalysis(const v1::AnalyzeSpec& asked,
                                 ModelRegistry& models, DataCatalog& catalog) {
  ResolvedAnalysis result = ResolveOne(WithoutSweep(asked), models, catalog);
  if (asked.sweep().empty() || !result.violations.empty()) return result;
  std::set<std::string> warnings(result.warnings.begin(),
                                 result.warnings.end());
  const CheckCell check = [&](const v1::AnalyzeSpec& cell) {
    const ResolvedAnalysis resolved = ResolveOne(cell, models, catalog);
    for (const std::string& warning : resolved.warnings) {
      if (warnings.insert(warning).second) result.warnings.push_back(warning);
    }
    return resolved.violations;
  };
  ResolveSweep({asked.sweep().begin(), asked.sweep().end()}, check, result.spec,
               result.violations);
  return result;
}

}  // namespace moeprobe
