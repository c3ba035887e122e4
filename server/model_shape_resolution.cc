#include "server/model_shape_resolution.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/plan/decoder_shape.h"
#include "moeprobe/v1/training.pb.h"
#include "server/choice.h"
#include "server/number_range.h"
#include "server/variant_resolution.h"
#include "server/violations.h"

namespace moeprobe {
namespace {

// Layers, their attention and its windows.
void CheckAttention(const v1::ModelShape& model, Violations& violations) {
  CheckRanges(
      "model",
      {{.field = "layers", .value = model.layers(), .least = 1, .most = 256},
       {.field = "heads", .value = model.heads(), .least = 1, .most = 1024},
       {.field = "context",
        .value = model.context(),
        .least = 2,
        .most = 65536}},
      violations);
}

void CheckNoAttention(const v1::ModelShape& model, Violations& violations) {
  if (model.layers() != 1) {
    violations.Add("model.layers",
                   absl::StrCat(model.layers(),
                                ", expected 1: task mlp trains one block of "
                                "experts"));
  }
  const std::string why = "has no meaning for task mlp: there is no attention";
  if (model.has_heads()) violations.Add("model.heads", why);
  if (model.has_context()) violations.Add("model.context", why);
}

void CheckModel(const v1::ModelShape& model, bool is_mlp,
                Violations& violations) {
  if (is_mlp) {
    CheckNoAttention(model, violations);
  } else {
    CheckAttention(model, violations);
  }
  CheckRanges(
      "model",
      {{.field = "width", .value = model.width(), .least = 1, .most = 65536},
       {.field = "experts", .value = model.experts(), .least = 1, .most = 1024},
       {.field = "expert_width",
        .value = model.expert_width(),
        .least = 1,
        .most = 65536}},
      violations);
  CheckChoice(model.expert(), "model.expert", violations);
  CheckChoice(model.init(), "model.init", violations);
  if (!violations.empty()) return;
  const absl::Status status = CheckShape(ShapeOf(model, 1, is_mlp ? 1 : 0));
  if (!status.ok()) {
    violations.Add("model", std::string(status.message()));
  }
}

}  // namespace

v1::ModelShape ResolveModelShape(const v1::ModelShape& asked,
                                 v1::TrainingTask task,
                                 Violations& violations) {
  const bool is_mlp = task == v1::TRAINING_TASK_MLP;
  const DecoderShape defaults;
  v1::ModelShape model = asked;
  if (!asked.has_layers()) model.set_layers(is_mlp ? 1 : defaults.layers);
  if (!asked.has_width()) model.set_width(defaults.width);
  if (!is_mlp && !asked.has_heads()) model.set_heads(defaults.heads);
  if (!is_mlp && !asked.has_context()) model.set_context(defaults.context);
  if (!asked.has_experts()) model.set_experts(defaults.experts);
  if (!asked.has_expert_width()) model.set_expert_width(defaults.expert_width);
  if (asked.expert() == v1::EXPERT_FORM_UNSPECIFIED) {
    model.set_expert(v1::EXPERT_FORM_GELU_MLP);
  }
  if (asked.init() == v1::INITIAL_WEIGHTS_UNSPECIFIED) {
    model.set_init(v1::INITIAL_WEIGHTS_NORMAL_0_02);
  }
  CheckModel(model, is_mlp, violations);
  return model;
}

}  // namespace moeprobe
