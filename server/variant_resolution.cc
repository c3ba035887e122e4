#include "server/variant_resolution.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/quoted.h"
#include "core/checkpoint/model_config.h"
#include "core/plan/decoder_shape.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "moeprobe/v1/worker_service.pb.h"
#include "server/choice.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

constexpr size_t kLongestName = 40;
constexpr int kMostVariants = 32;
constexpr int kDefaultTopK = 2;

bool IsName(const std::string& name) {
  const auto is_alphanumeric = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c));
  };
  return !name.empty() && name.size() <= kLongestName &&
         is_alphanumeric(name[0]) && std::ranges::all_of(name, [&](char c) {
           return is_alphanumeric(c) ||
                  absl::string_view("-_.").find(c) != absl::string_view::npos;
         });
}

std::string FieldOf(const v1::Variant& variant) {
  return absl::StrCat("variants.", variant.name());
}

// Returns whether all names are right.
bool CheckNames(const v1::TrainSpec& spec, Violations& violations) {
  std::set<std::string> names;
  bool are_right = true;
  for (const v1::Variant& variant : spec.variants()) {
    const bool is_new = names.insert(variant.name()).second;
    are_right = are_right && is_new && IsName(variant.name());
    if (!IsName(variant.name())) {
      violations.Add(
          "variants",
          absl::StrCat(Quoted(variant.name()),
                       " is no name of a variant, expected 1 to ", kLongestName,
                       " letters, digits, -, _ and ., the first a "
                       "letter or digit"));
    } else if (!is_new) {
      violations.Add(FieldOf(variant), "stands there twice");
    }
  }
  return are_right;
}

void CheckSwaps(const v1::TrainSpec& spec, Violations& violations) {
  std::set<std::string> seen;
  for (int i = 0; i < spec.swap_routing_size(); ++i) {
    const std::string& name = spec.swap_routing(i);
    const auto found =
        std::ranges::find(spec.variants(), name, &v1::Variant::name);
    const std::string field = absl::StrCat("swap_routing[", i, "]");
    if (found == spec.variants().end()) {
      violations.Add(field, absl::StrCat("there is no variant ", Quoted(name)));
    } else if (found->block() == v1::BLOCK_DENSE) {
      violations.Add(
          field, absl::StrCat(Quoted(name), " is dense and routes nothing"));
    } else if (!seen.insert(name).second) {
      violations.Add(field, absl::StrCat(Quoted(name), " stands there twice"));
    }
  }
}

void CheckCount(const v1::RoutingSpec& routing, int64_t experts,
                const std::string& field, Violations& violations) {
  if (routing.select() == v1::ROUTING_SELECTION_ALL) {
    if (!routing.has_top_k()) return;
    violations.Add(field + ".top_k",
                   "has no meaning where select is all, expected one of the "
                   "two");
  } else if (routing.top_k() < 1 || routing.top_k() > experts) {
    violations.Add(
        field + ".top_k",
        absl::StrCat(routing.top_k(), " is out of range, expected 1 to ",
                     experts, ", the model's experts"));
  }
}

// Whether models are stored in a layout of others', which has no temperature.
bool IsStoredAsMixtral(const v1::TrainSpec& spec) {
  return spec.model().expert() == v1::EXPERT_FORM_GATED_MLP && !TrainsMlp(spec);
}

void CheckRouting(const v1::RoutingSpec& routing, const v1::TrainSpec& spec,
                  const std::string& field, Violations& violations) {
  CheckChoice(routing.select(), field + ".select", violations);
  if (routing.normalize() != v1::GATE_NORMALIZATION_ALWAYS) {
    violations.Add(field + ".normalize",
                   "expected always: a model to be trained has no rule of its "
                   "own");
  }
  if (routing.forward() != v1::FORWARD_GATES_UNSPECIFIED) {
    violations.Add(field + ".forward",
                   "has no meaning here: a model is trained with its gates");
  }
  const double temperature = routing.temperature();
  if (!(temperature > 0) || !std::isfinite(temperature)) {
    violations.Add(field + ".temperature",
                   absl::StrCat(temperature, ", expected a number above 0"));
  } else if (temperature != 1 && IsStoredAsMixtral(spec)) {
    violations.Add(field + ".temperature",
                   absl::StrCat(temperature,
                                ", expected 1: models of gated experts are "
                                "stored as Mixtral, which has none"));
  }
  CheckCount(routing, spec.model().experts(), field, violations);
}

void ResolveRouting(v1::RoutingSpec& routing) {
  if (routing.select() == v1::ROUTING_SELECTION_UNSPECIFIED) {
    routing.set_select(v1::ROUTING_SELECTION_TOP_K);
  }
  if (routing.select() == v1::ROUTING_SELECTION_TOP_K && !routing.has_top_k()) {
    routing.set_top_k(kDefaultTopK);
  }
  if (!routing.has_temperature()) routing.set_temperature(1);
  if (routing.normalize() == v1::GATE_NORMALIZATION_UNSPECIFIED) {
    routing.set_normalize(v1::GATE_NORMALIZATION_ALWAYS);
  }
}

void ResolveDense(v1::Variant& variant, Violations& violations) {
  if (variant.has_routing()) {
    violations.Add(FieldOf(variant) + ".routing",
                   "the block is dense, there is nothing to route");
  }
  if (variant.match() == v1::DENSE_MATCH_UNSPECIFIED) {
    variant.set_match(v1::DENSE_MATCH_EXPERT);
  } else {
    CheckChoice(variant.match(), FieldOf(variant) + ".match", violations);
  }
}

void ResolveVariant(const v1::TrainSpec& spec, v1::Variant& variant,
                    Violations& violations) {
  if (variant.block() == v1::BLOCK_UNSPECIFIED) {
    variant.set_block(v1::BLOCK_MOE);
  }
  if (variant.block() == v1::BLOCK_DENSE) {
    ResolveDense(variant, violations);
    return;
  }
  CheckChoice(variant.block(), FieldOf(variant) + ".block", violations);
  if (variant.match() != v1::DENSE_MATCH_UNSPECIFIED) {
    violations.Add(FieldOf(variant) + ".match",
                   "has no meaning for a block with experts");
  }
  ResolveRouting(*variant.mutable_routing());
  CheckRouting(variant.routing(), spec, FieldOf(variant) + ".routing",
               violations);
}

// How many experts act on a token of what a dense variant is matched with.
int64_t ExpertsOfMatch(const v1::TrainSpec& spec) {
  for (const v1::Variant& variant : spec.variants()) {
    if (HasExperts(variant)) {
      return RuleOf(variant, spec.model().experts()).expert_count();
    }
  }
  return std::min<int64_t>(kDefaultTopK, spec.model().experts());
}

WidthMatch MatchOf(v1::DenseMatch match) {
  switch (match) {
    case v1::DENSE_MATCH_ACTIVE:
      return WidthMatch::kActive;
    case v1::DENSE_MATCH_TOTAL:
      return WidthMatch::kTotal;
    default:
      return WidthMatch::kExpert;
  }
}

}  // namespace

void ResolveVariants(v1::TrainSpec& spec, Violations& violations) {
  if (spec.variants().empty() || spec.variants_size() > kMostVariants) {
    violations.Add("variants", absl::StrCat(spec.variants_size(),
                                            ", expected 1 to ", kMostVariants));
    return;
  }
  if (!CheckNames(spec, violations)) return;
  for (v1::Variant& variant : *spec.mutable_variants()) {
    ResolveVariant(spec, variant, violations);
  }
  CheckSwaps(spec, violations);
}

bool HasExperts(const v1::Variant& variant) {
  return variant.block() == v1::BLOCK_MOE;
}

bool TrainsMlp(const v1::TrainSpec& spec) {
  return spec.task() == v1::TRAINING_TASK_MLP;
}

int64_t WindowOf(const v1::TrainSpec& spec) {
  return TrainsMlp(spec) ? kExampleWindow : spec.model().context();
}

DecoderShape ShapeOf(const v1::ModelShape& model, int64_t vocabulary_size,
                     int64_t outputs) {
  const bool is_mlp = outputs > 0;
  return {.layers = model.layers(),
          .width = model.width(),
          .heads = is_mlp ? 1 : model.heads(),
          .context = is_mlp ? kExampleWindow : model.context(),
          .vocabulary = vocabulary_size,
          .experts = model.experts(),
          .expert_width = model.expert_width(),
          .expert = model.expert() == v1::EXPERT_FORM_GATED_MLP
                        ? ExpertKind::kGatedMlp
                        : ExpertKind::kGeluMlp,
          .outputs = outputs};
}

v1::RoutingRule RuleOf(const v1::Variant& variant, int64_t experts) {
  const v1::RoutingSpec& routing = variant.routing();
  const bool all = routing.select() == v1::ROUTING_SELECTION_ALL;
  v1::RoutingRule rule;
  rule.set_expert_count(all ? experts : routing.top_k());
  rule.set_renormalize(!all);  // all scores sum to 1 already
  rule.set_temperature(routing.temperature());
  rule.set_in_forward_pass(true);
  return rule;
}

v1::ModelShape ShapeOf(const v1::Variant& variant, const v1::TrainSpec& spec) {
  v1::ModelShape shape = spec.model();
  if (HasExperts(variant)) return shape;
  const absl::StatusOr<DecoderShape> dense = DenseCounterpart(
      ShapeOf(spec.model(), 1, spec.data().synthetic().outputs()),
      ExpertsOfMatch(spec), MatchOf(variant.match()));
  if (dense.ok()) shape.set_expert_width(dense->expert_width);
  shape.set_experts(0);
  return shape;
}

}  // namespace moeprobe
