#include "server/job_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/equal_depth.h"
#include "core/base/quoted.h"
#include "core/base/status_context.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/result.pb.h"
#include "server/cache_key.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "server/probe_groups.h"
#include "server/routing_resolution.h"
#include "server/training_plan.h"
#include "spec/sweep_cells.h"
#include "storage/fingerprint_store.h"
#include "storage/job.h"

namespace moeprobe {
namespace {

constexpr int64_t kWholeModel = -1;

std::string PrefixOf(const v1::AnalyzeSpec& spec, int data_index,
                     bool is_baseline) {
  return absl::StrCat(
      spec.data_size() > 1 ? absl::StrCat("data", data_index, "/") : "",
      is_baseline ? "baseline/" : "");
}

// The key, as far as fingerprints are known; "" otherwise, and of curves whose
// models are still to be made.
std::string KnownKey(const PlannedPart& part, v1::Device device, int64_t layer,
                     const std::string& group) {
  const bool is_kept = !part.trained || part.trained->is_kept;
  if (group == kTrainingGroup && !is_kept) return "";
  const auto source = KnownSource(part, layer);
  return source ? KeyOfGroup(part, *source, device, layer, group) : "";
}

// Stands for the fingerprints of a part among the parts of one plan.
LayerSource StandIn(const PlannedPart& part) {
  return {.weights_fingerprint = part.stamp,
          .data_fingerprint = part.trained
                                  ? part.trained->tokens
                                  : absl::StrCat(part.data.SerializeAsString(),
                                                 "\n", part.tokenizer_sha256)};
}

bool HaveTheSameSource(const PlannedPart& a, const PlannedPart& b) {
  return StandIn(a).weights_fingerprint == StandIn(b).weights_fingerprint &&
         StandIn(a).data_fingerprint == StandIn(b).data_fingerprint;
}

// Adds the groups of part `index` of a plan.
void AddGroups(int index, v1::Device device, JobPlan& plan) {
  const PlannedPart& part = plan.parts[static_cast<size_t>(index)];
  const auto add = [&](int64_t layer, const std::string& group) {
    plan.groups.push_back({.part = index,
                           .layer = layer,
                           .probe = group,
                           .key = KnownKey(part, device, layer, group)});
  };
  for (const int32_t layer : part.layers) {
    for (const std::string& group :
         ProbeGroups(part.spec.probes(), part.spec.nulls())) {
      add(layer, group);
    }
  }
  if (part.trained && part.trained->model.curves()) {
    add(kWholeModel, kTrainingGroup);
  }
  if (part.nll) add(kWholeModel, kNllGroup);
  for (const int32_t layer : part.edited_layers) {
    add(kWholeModel, InterventionGroup(layer));
  }
}

// The layers among `layers` that have several experts, if they are edited.
std::vector<int32_t> EditedLayers(const v1::ProbeSpec& probes,
                                  const std::vector<int32_t>& layers,
                                  const Checkpoint& checkpoint) {
  std::vector<int32_t> edited;
  if (!probes.has_interventions()) return edited;
  std::ranges::copy_if(layers, std::back_inserter(edited), [&](int32_t layer) {
    return checkpoint.layer(layer).experts.size() > 1;
  });
  return edited;
}

int32_t LayerCount(const OpenedModel& model) {
  return static_cast<int32_t>(model.checkpoint->config().layers.size());
}

// Layers of a model of `other_count` layers beside ascending `layers` of one of
// `count`, each once.
std::vector<int32_t> AtEqualDepth(const std::vector<int32_t>& layers,
                                  int32_t count, int32_t other_count) {
  std::vector<int32_t> result;
  for (const int32_t layer : layers) {
    const auto beside =
        static_cast<int32_t>(LayerAtEqualDepth(layer, count, other_count));
    if (result.empty() || result.back() != beside) result.push_back(beside);
  }
  return result;
}

absl::StatusOr<OpenedModel> OpenUsable(ModelRegistry& models,
                                       const std::string& name) {
  MOEPROBE_ASSIGN_OR_RETURN(OpenedModel model, models.Find(name));
  if (model.problem.ok()) return model;
  return WithContext(
      ReasonToRefuse(model),
      absl::StrCat("model ", Quoted(name), " cannot be analysed"));
}

}  // namespace

v1::Device DeviceOf(const v1::Job& job) {
  return job.has_train() ? v1::DEVICE_CPU : job.analyze().device();
}

std::optional<LayerSource> KnownSource(const PlannedPart& part, int64_t layer) {
  if (part.trained) {
    return LayerSource{.weights_fingerprint = part.trained->weights,
                       .data_fingerprint = part.trained->tokens};
  }
  const auto weights = part.weights.find(layer);
  if (weights == part.weights.end() || !part.tokens) return std::nullopt;
  return LayerSource{.weights_fingerprint = weights->second,
                     .data_fingerprint = part.tokens->fingerprint};
}

std::string KeyOfGroup(const PlannedPart& part, const LayerSource& source,
                       v1::Device device, int64_t layer,
                       const std::string& group) {
  const bool is_curves = part.trained && group == kTrainingGroup;
  return CacheKey({.weights_fingerprint = is_curves
                                              ? part.trained->curves
                                              : source.weights_fingerprint,
                   .data_fingerprint = source.data_fingerprint,
                   .precision = part.spec.precision(),
                   .device = device,
                   .layer = layer,
                   .group = group,
                   .seed = part.spec.seed(),
                   .probes = &part.spec.probes(),
                   .nulls = &part.spec.nulls(),
                   .routing = part.routing});
}

std::vector<NeededGroup> WithoutRepeats(const std::vector<NeededGroup>& groups,
                                        const JobPlan& plan,
                                        v1::Device device) {
  std::set<std::string> seen;
  std::vector<NeededGroup> result;
  for (const NeededGroup& group : groups) {
    const PlannedPart& part = plan.parts[static_cast<size_t>(group.part)];
    const std::string key =
        KeyOfGroup(part, StandIn(part), device, group.layer, group.probe);
    if (seen.insert(key).second) result.push_back(group);
  }
  return result;
}

std::vector<NeededGroup> GroupsOfSource(const JobPlan& plan, int index,
                                        const LayerSource& source,
                                        v1::Device device, int64_t layer) {
  const PlannedPart& known = plan.parts[static_cast<size_t>(index)];
  std::vector<NeededGroup> result;
  for (const NeededGroup& group : plan.groups) {
    const PlannedPart& part = plan.parts[static_cast<size_t>(group.part)];
    if (group.layer != layer || !HaveTheSameSource(part, known)) continue;
    result.push_back(group);
    result.back().key = KeyOfGroup(part, source, device, layer, group.probe);
  }
  return result;
}

std::optional<std::string> KnownProvenance(const PlannedPart& part) {
  const auto weights =
      part.weights.find(part.layers.empty() ? kWholeModel : part.layers.back());
  if (weights == part.weights.end() || !part.tokens) return std::nullopt;
  v1::Provenance provenance;
  provenance.set_prefix(part.prefix);
  provenance.set_model(part.model.name);
  provenance.set_model_fingerprint(weights->second);
  provenance.set_data_fingerprint(part.tokens->fingerprint);
  provenance.set_token_count(part.tokens->token_count);
  provenance.set_layer_count(part.layer_count);
  for (const int32_t id : part.tokens->first_ids) {
    provenance.add_first_token_ids(id);
  }
  return provenance.SerializeAsString();
}

absl::StatusOr<PlannedPart> JobPlanner::PlanPart(const SweepCell& cell,
                                                 int data_index,
                                                 bool is_baseline) {
  const v1::AnalyzeSpec& spec = cell.spec;
  PlannedPart part;
  part.prefix = cell.prefix + PrefixOf(spec, data_index, is_baseline);
  part.spec = spec;
  MOEPROBE_ASSIGN_OR_RETURN(
      part.model,
      OpenUsable(*models_, is_baseline ? spec.baseline() : spec.model()));
  part.data = spec.data(data_index);
  if (spec.has_routing() && !is_baseline) {
    part.routing =
        RuleOf(spec.routing(), part.model.checkpoint->config().experts);
  }
  part.layer_count = LayerCount(part.model);
  part.layers.assign(spec.layers().layers().begin(),
                     spec.layers().layers().end());
  if (is_baseline) {
    MOEPROBE_ASSIGN_OR_RETURN(const OpenedModel model,
                              OpenUsable(*models_, spec.model()));
    part.layers =
        AtEqualDepth(part.layers, LayerCount(model), part.layer_count);
  }
  part.nll = !part.model.checkpoint->config().is_mlp &&
             (spec.nll() || (!part.layers.empty() &&
                             part.layers.back() == part.layer_count - 1));
  part.edited_layers =
      EditedLayers(spec.probes(), part.layers, *part.model.checkpoint);
  if (part.data.has_text()) {
    MOEPROBE_ASSIGN_OR_RETURN(part.tokenizer_sha256,
                              models_->TokenizerSha256(part.model));
  }
  part.stamp = part.model.checkpoint->stamp();
  MOEPROBE_ASSIGN_OR_RETURN(part.weights, fingerprints_->Weights(part.stamp));
  MOEPROBE_ASSIGN_OR_RETURN(part.tokens,
                            catalog_->Cut(part.data, part.tokenizer_sha256));

  return part;
}

absl::Status JobPlanner::AddCell(const SweepCell& cell, JobPlan& plan) {
  for (int i = 0; i < cell.spec.data_size(); ++i) {
    for (const bool is_baseline : {false, true}) {
      if (is_baseline && cell.spec.baseline().empty()) continue;
      MOEPROBE_ASSIGN_OR_RETURN(PlannedPart part,
                                PlanPart(cell, i, is_baseline));
      plan.parts.push_back(std::move(part));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<JobPlan> JobPlanner::PlanParts(const v1::Job& job) {
  if (job.has_train()) {
    return PlanTraining(job.train(), trained_directory_, *models_, *catalog_,
                        *fingerprints_);
  }
  JobPlan plan;
  for (const SweepCell& cell : CellsOf(job.analyze())) {
    MOEPROBE_RETURN_IF_ERROR(AddCell(cell, plan));
  }
  return plan;
}

absl::StatusOr<JobPlan> JobPlanner::Plan(const v1::Job& job,
                                         v1::Device device) {
  MOEPROBE_ASSIGN_OR_RETURN(JobPlan plan, PlanParts(job));
  for (size_t part = 0; part < plan.parts.size(); ++part) {
    AddGroups(static_cast<int>(part), device, plan);
  }
  return plan;
}

}  // namespace moeprobe
