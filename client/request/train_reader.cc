#include "client/request/train_reader.h"

#include "absl/status/status.h"
#include "client/request/data_source.h"
#include "client/request/message_fields.h"
#include "client/request/nulls_reader.h"
#include "client/request/probes_reader.h"
#include "client/request/value.h"
#include "client/request/variants_reader.h"
#include "core/base/status_macros.h"
#include "moeprobe/v1/training.pb.h"

namespace moeprobe {
namespace {

absl::Status ReadModel(const Value& value, v1::ModelShape& model) {
  return value.Fields(
      {IntegerField("layers", model, 1), IntegerField("width", model, 1),
       IntegerField("heads", model, 1), IntegerField("context", model, 1),
       IntegerField("experts", model, 1),
       IntegerField("expert_width", model, 1), ChoiceField("expert", model),
       ChoiceField("init", model)});
}

absl::Status ReadSynthetic(const Value& value, v1::SyntheticData& data) {
  return value.Fields(
      {IntegerField("examples", data, 1), IntegerField("clusters", data, 1),
       NonNegativeField("separation", data), ChoiceField("teacher", data),
       IntegerField("teacher_width", data, 1), ChoiceField("objective", data),
       IntegerField("outputs", data, 1), NonNegativeField("noise", data),
       IntegerField("seed", data, 0)});
}

absl::Status ReadData(const Value& value, v1::TrainingData& data) {
  MOEPROBE_RETURN_IF_ERROR(value.Fields(
      {SourceField("text", data), SourceField("ids", data),
       PartField("synthetic", data, ReadSynthetic),
       TextField("vocabulary", data), ShareField("held_out", data)}));
  return CheckOneSource(value, {"text", "ids", "synthetic"});
}

absl::Status ReadOptimizer(const Value& value, v1::Optimizer& optimizer) {
  return value.Fields(
      {ChoiceField("name", optimizer),
       PositiveField("learning_rate", optimizer),
       ChoiceField("decay", optimizer), IntegerField("warmup", optimizer, 0),
       IntegerField("batch", optimizer, 1), IntegerField("steps", optimizer, 1),
       NonNegativeField("clip", optimizer),
       NonNegativeField("balance_loss", optimizer)});
}

absl::Status ReadProbe(const Value& value, v1::TrainingProbe& probe) {
  return value.Fields(
      {IntegerField("every", probe, 0), ChoiceField("evaluate_on", probe),
       TokenCountField("tokens", probe), PartField("probes", probe, ReadProbes),
       PartField("nulls", probe, ReadNulls), IntegerField("seed", probe, 0)});
}

absl::Status ReadCheckpoint(const Value& value, v1::CheckpointPlan& plan) {
  return value.Fields({IntegerField("every", plan, 1)});
}

}  // namespace

absl::Status ReadTrainSpec(const Value& root, v1::TrainSpec& spec) {
  MOEPROBE_RETURN_IF_ERROR(root.Fields(
      {FieldRead("kind"),
       FieldRead("visibility"),
       FieldRead("shared_with"),
       FieldRead("priority"),
       TextField("name", spec, kLongestLabel),
       ChoiceField("task", spec),
       PartField("model", spec, ReadModel),
       {"variants",
        [&](const Value& value) { return ReadVariants(value, spec); }},
       IntegersField("seeds", spec, 0),
       PartField("data", spec, ReadData),
       PartField("optimizer", spec, ReadOptimizer),
       PartField("probe", spec, ReadProbe),
       FieldRead("swap_routing"),  // below: variants may follow it
       PartField("checkpoint", spec, ReadCheckpoint)}));
  MOEPROBE_RETURN_IF_ERROR(root.CheckHas({"variants", "data"}));
  for (const Value& names : root.Find("swap_routing")) {
    MOEPROBE_RETURN_IF_ERROR(ReadSwapRouting(names, spec));
  }
  return absl::OkStatus();
}

}  // namespace moeprobe
