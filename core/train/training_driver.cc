// For tests: trains a small model in a directory, and dies at a step.
//
// usage: training_driver DIRECTORY two-layer|gated|mlp LAST_STEP [DYING_STEP]

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/checkpoint/model_config.h"
#include "core/plan/decoder_shape.h"
#include "core/train/training_curves.h"
#include "core/train/training_fixture.h"
#include "core/train/training_run.h"

namespace moeprobe {
namespace {

// Ends the process at a step as the kernel would.
class Killer final : public TrainingObserver {
 public:
  explicit Killer(int64_t step) : step_(step) {}

  absl::Status OnWait() override { return absl::OkStatus(); }

  absl::Status OnStep(int64_t step, double /*loss*/) override {
    if (step == step_) std::raise(SIGKILL);
    return absl::OkStatus();
  }

  absl::Status OnKept(int64_t /*step*/,
                      const TrainingCurves& /*curves*/) override {
    return absl::OkStatus();
  }

 private:
  int64_t step_;
};

int Main(std::span<char*> arguments) {
  const std::string_view kind = arguments[2];
  const bool is_mlp = kind == "mlp";
  const ExpertKind expert =
      kind == "gated" ? ExpertKind::kGatedMlp : ExpertKind::kGeluMlp;
  TrainingRun run{
      .training = is_mlp ? MlpFixtureOptions(expert) : FixtureOptions(expert),
      .kept_steps = {},
      .directory = arguments[1]};
  run.training.steps = std::stoll(arguments[3]);
  for (int64_t step = 0; step < run.training.steps; step += 5) {
    run.kept_steps.push_back(step);
  }
  run.kept_steps.push_back(run.training.steps);
  Killer killer(arguments.size() > 4 ? std::stoll(arguments[4]) : 0);
  TrainingCurves curves(run.training.shape.layers, run.training.shape.experts);
  const absl::Status status = RunTraining(
      run, is_mlp ? MlpFixtureExamples() : FixtureText(), killer, curves);
  if (status.ok()) return EXIT_SUCCESS;
  std::cerr << status << '\n';
  return EXIT_FAILURE;
}

}  // namespace
}  // namespace moeprobe

// Only a test gives the arguments.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  return moeprobe::Main({argv, static_cast<size_t>(argc)});
}
