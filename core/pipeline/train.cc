#include "core/pipeline/train.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/probe/probe_result.h"
#include "core/tensor/torch_status.h"
#include "core/train/token_split.h"
#include "core/train/training_checkpoint.h"
#include "core/train/training_curves.h"
#include "core/train/training_options.h"
#include "core/train/training_run.h"

namespace moeprobe {
namespace {

constexpr const char* kProbe = "training";
constexpr const char* kHeldOutLoss = "held_out_loss";

NamedArray Number(const std::string& name, double value) {
  NamedArray number{.name = name, .probe = kProbe, .array = {}};
  number.array.bytes.resize(sizeof(value));
  std::memcpy(number.array.bytes.data(), &value, sizeof(value));
  return number;
}

std::vector<NamedArray> CurvesAt(int64_t step, bool has_held_out,
                                 const TrainingCurves& curves) {
  std::vector<NamedArray> arrays;
  if (const std::optional<double> loss = curves.RecentLoss(step)) {
    arrays.push_back(Number("loss", *loss));
  }
  if (has_held_out) {
    arrays.push_back(Number(kHeldOutLoss, curves.HeldOutLossAt(step)));
  }
  for (NamedCurve& curve : curves.ArraysUpTo(step)) {
    if (!has_held_out && curve.name == kHeldOutLoss) continue;
    arrays.push_back({.name = absl::StrCat(kProbe, "/", curve.name),
                      .probe = kProbe,
                      .array = std::move(curve.array)});
  }
  return arrays;
}

// Passes on what a run tells.
class RunObserver final : public TrainingObserver {
 public:
  RunObserver(const TrainRequest& request, bool has_held_out,
              TrainObserver& observer)
      : request_(request), has_held_out_(has_held_out), observer_(observer) {}

  absl::Status OnWait() override { return observer_.OnWait(); }

  absl::Status OnStep(int64_t step, double loss) override {
    return observer_.OnStep(step, loss);
  }

  absl::Status OnKept(int64_t step, const TrainingCurves& curves) override {
    return observer_.OnKept(
        {.step = step,
         .directory = request_.directory / CheckpointName(step),
         .curves = CurvesAt(step, has_held_out_, curves)});
  }

 private:
  const TrainRequest& request_;
  bool has_held_out_;
  TrainObserver& observer_;
};

}  // namespace

absl::Status Train(const TrainRequest& request, const TokenSplit& text,
                   TrainObserver& observer) {
  MOEPROBE_RETURN_IF_ERROR(CheckOptions(request.training));
  const TrainingRun run{.training = request.training,
                        .kept_steps = request.kept_steps,
                        .directory = request.directory};
  RunObserver passing_on(request, !text.held_out.empty(), observer);
  const auto status = CatchTorchErrors([&] {
    TrainingCurves curves(run.training.shape.layers,
                          run.training.shape.experts);
    return RunTraining(run, text, passing_on, curves);
  });
  return status.ok() ? *status : status.status();
}

}  // namespace moeprobe
