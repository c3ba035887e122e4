#include "server/worker/training_request.h"

#include "core/checkpoint/model_config.h"
#include "core/model/routing_rule.h"
#include "core/pipeline/train.h"
#include "core/plan/decoder_shape.h"
#include "core/train/example_options.h"
#include "core/train/learning_rate.h"
#include "core/train/training_options.h"
#include "moeprobe/v1/training.pb.h"
#include "moeprobe/v1/worker_service.pb.h"

namespace moeprobe {
namespace {

ExpertKind FromProto(v1::ExpertForm form) {
  return form == v1::EXPERT_FORM_GATED_MLP ? ExpertKind::kGatedMlp
                                           : ExpertKind::kGeluMlp;
}

DecoderShape ShapeOf(const v1::TrainingRun& run) {
  const v1::ModelShape& shape = run.shape();
  const bool is_mlp = run.has_synthetic();
  return {.layers = shape.layers(),
          .width = shape.width(),
          .heads = is_mlp ? 1 : shape.heads(),
          .context = is_mlp ? kExampleWindow : shape.context(),
          .vocabulary = run.vocabulary_size(),
          .experts = shape.experts(),
          .expert_width = shape.expert_width(),
          .expert = FromProto(shape.expert()),
          .outputs = run.synthetic().outputs()};
}

ExampleOptions FromProto(const v1::SyntheticData& data) {
  return {.clusters = data.clusters(),
          .separation = data.separation(),
          .teacher = data.teacher() == v1::SYNTHETIC_TEACHER_SHARED
                         ? Teacher::kShared
                         : Teacher::kPerCluster,
          .teacher_width = data.teacher_width(),
          .objective = data.objective() == v1::LEARNING_OBJECTIVE_CLASSIFICATION
                           ? Objective::kClassification
                           : Objective::kRegression,
          .noise = data.noise(),
          .seed = data.seed()};
}

Decay FromProto(v1::RateDecay decay) {
  switch (decay) {
    case v1::RATE_DECAY_LINEAR:
      return Decay::kLinear;
    case v1::RATE_DECAY_COSINE:
      return Decay::kCosine;
    default:
      return Decay::kNone;
  }
}

RoutingRule FromProto(const v1::RoutingRule& rule) {
  return {.per_token = rule.expert_count(),
          .renormalize = rule.renormalize(),
          .temperature = rule.temperature()};
}

TrainingOptions OptionsOf(const v1::TrainingRun& run) {
  const v1::Optimizer& optimizer = run.optimizer();
  TrainingOptions options{
      .shape = ShapeOf(run),
      .initialization = run.shape().init() == v1::INITIAL_WEIGHTS_TORCH
                            ? Initialization::kTorch
                            : Initialization::kNormal002,
      .learning_rate = {.peak = optimizer.learning_rate(),
                        .warmup_steps = optimizer.warmup(),
                        .decay = FromProto(optimizer.decay())},
      .clip = optimizer.clip(),
      .balance_loss = optimizer.balance_loss(),
      .batch = optimizer.batch(),
      .steps = optimizer.steps(),
      .seed = run.seed()};
  if (run.has_routing()) options.routing = FromProto(run.routing());
  if (run.has_synthetic()) options.examples = FromProto(run.synthetic());
  return options;
}

}  // namespace

TrainRequest RequestOf(const v1::TrainingRun& run) {
  return {.training = OptionsOf(run),
          .kept_steps = {run.kept_steps().begin(), run.kept_steps().end()},
          .directory = run.directory()};
}

}  // namespace moeprobe
