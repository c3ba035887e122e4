#include "client/commands/training_text.h"

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/text/format.h"
#include "moeprobe/v1/analysis.pb.h"
#include "moeprobe/v1/training.pb.h"
#include "spec/choice_name.h"

namespace moeprobe {
namespace {

// The name of a choice; "?" for one that is news to this version.
std::string Name(const google::protobuf::EnumDescriptor* type, int number) {
  const auto* value = type->FindValueByNumber(number);
  return value == nullptr ? "?" : ChoiceName(*value);
}

std::string_view MatchText(v1::DenseMatch match) {
  switch (match) {
    case v1::DENSE_MATCH_ACTIVE:
      return "dense, as many parameters as act on a token";
    case v1::DENSE_MATCH_TOTAL:
      return "dense, as many parameters";
    default:
      return "dense, as wide as an expert";
  }
}

std::string ExpertsText(const v1::RoutingSpec& routing) {
  const bool all = routing.select() == v1::ROUTING_SELECTION_ALL;
  return absl::StrCat(
      all ? "all experts" : absl::StrCat("top ", routing.top_k()),
      ", temperature ", FormatExact(routing.temperature()));
}

std::string ScheduleText(const v1::Optimizer& optimizer) {
  std::string text = Name(v1::RateDecay_descriptor(), optimizer.decay());
  if (optimizer.warmup() > 0) {
    absl::StrAppend(&text, " after ", optimizer.warmup(), " steps of warm-up");
  }
  return text;
}

bool IsOnExamples(const v1::TrainSpec& spec) {
  return spec.task() == v1::TRAINING_TASK_MLP;
}

std::string ExamplesText(const v1::SyntheticData& data, double held_out) {
  return absl::StrCat(
      data.examples(), " examples of ", data.clusters(),
      " clusters (separation ", FormatExact(data.separation()), ", noise ",
      FormatExact(data.noise()),
      absl::StrFormat("), %g %% held out, ", 100 * held_out),
      Name(v1::LearningObjective_descriptor(), data.objective()), " of ",
      data.outputs(), " outputs (",
      Name(v1::SyntheticTeacher_descriptor(), data.teacher()),
      " teachers of width ", data.teacher_width(), ")");
}

}  // namespace

std::string VariantText(const v1::Variant& variant) {
  const bool dense = variant.block() == v1::BLOCK_DENSE;
  return absl::StrCat(variant.name(), ": ",
                      dense ? std::string(MatchText(variant.match()))
                            : ExpertsText(variant.routing()));
}

std::string ShapeText(const v1::ModelShape& model) {
  return absl::StrCat(
      model.layers(), model.layers() == 1 ? " layer" : " layers", " of width ",
      model.width(), ", ", model.experts(), " experts of width ",
      model.expert_width(), " (",
      Name(v1::ExpertForm_descriptor(), model.expert()), "), ",
      model.has_heads()
          ? absl::StrCat(model.heads(), " heads, context ", model.context())
          : "no attention",
      ", from ", Name(v1::InitialWeights_descriptor(), model.init()));
}

std::string TrainingDataText(const v1::TrainingData& data) {
  if (data.has_synthetic()) {
    return ExamplesText(data.synthetic(), data.held_out());
  }
  return absl::StrFormat("%s, %g %% held out, %s",
                         data.has_ids() ? "token ids" : data.vocabulary(),
                         100 * data.held_out(),
                         data.has_text() ? data.text() : data.ids());
}

std::string OptimizerText(const v1::TrainSpec& spec) {
  const v1::Optimizer& optimizer = spec.optimizer();
  std::string text =
      absl::StrCat(optimizer.steps(), " steps of ", optimizer.batch(),
                   IsOnExamples(spec) ? " examples, " : " windows, ",
                   Name(v1::OptimizerName_descriptor(), optimizer.name()),
                   " at ", FormatExact(optimizer.learning_rate()), " (",
                   ScheduleText(optimizer), ")");
  if (optimizer.clip() > 0) {
    absl::StrAppend(&text, ", gradients up to ", FormatExact(optimizer.clip()));
  }
  if (optimizer.balance_loss() > 0) {
    absl::StrAppend(&text, ", ", FormatExact(optimizer.balance_loss()),
                    " of the load-balancing loss");
  }
  return text;
}

std::string TrainingProbeText(const v1::TrainSpec& spec) {
  const v1::TrainingProbe& probe = spec.probe();
  const std::string when =
      probe.every() == 0
          ? "at the last step"
          : absl::StrCat("every ", probe.every(), " steps and at the last");
  const std::string tokens =
      probe.tokens() == -1 ? "all" : absl::StrCat(probe.tokens());
  return absl::StrCat(
      when, ", on ", tokens, IsOnExamples(spec) ? " examples (" : " tokens (",
      Name(v1::EvaluationText_descriptor(), probe.evaluate_on()), ")");
}

}  // namespace moeprobe
