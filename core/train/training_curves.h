#ifndef MOEPROBE_CORE_TRAIN_TRAINING_CURVES_H_
#define MOEPROBE_CORE_TRAIN_TRAINING_CURVES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "core/train/trainer.h"

namespace moeprobe {

// An array with its name.
struct NamedCurve {
  std::string name;
  Array array;
};

// What a run found on its way. Everything is there from the first step on: a
// run that goes on from a checkpoint has the curves of one that never stopped.
class TrainingCurves {
 public:
  // For a model with `layers` [L] layers of `experts` [E]; 0: dense.
  TrainingCurves(int64_t layers, int64_t experts);

  // Adds a step; the next one in order.
  void AddStep(const TrainingStep& report);

  // Adds the held-out loss after the steps so far, and ends the period over
  // which the use of experts is counted.
  void AddEvaluation(double held_out_loss);

  int64_t step_count() const { return static_cast<int64_t>(loss_.size()); }

  // Returns all curves. By step, float64 [steps]: "loss", "balance_loss",
  // "gradient_norm", "learning_rate". By evaluation: "evaluation_step" int64
  // [n]; "held_out_loss" float64 [n]; in a model with experts
  // "expert_tokens" int64 [n, L, E], the tokens of the steps since the
  // evaluation before, and "expert_gates" float64 [n, L, E], their mean gates.
  std::vector<NamedCurve> Arrays() const { return ArraysUpTo(step_count()); }

  // Returns what Arrays() returned after `step` steps.
  std::vector<NamedCurve> ArraysUpTo(int64_t step) const;

  // Returns the mean loss of the last 100 of the first `step` steps, or of all
  // where they are fewer; nullopt if there are none. What is evaluated between
  // them changes nothing.
  std::optional<double> RecentLoss(int64_t step) const;

  // Returns the held-out loss after `step` steps, where there was an
  // evaluation.
  double HeldOutLossAt(int64_t step) const;

  // The same with what is counted since the last evaluation, to go on from.
  std::vector<NamedCurve> State() const;

  // Goes on from the arrays of State(), of a model of the same sizes.
  void Restore(const std::vector<NamedCurve>& state);

 private:
  // How many evaluations there were in the first `step` steps.
  int64_t EvaluationsUpTo(int64_t step) const;

  int64_t layers_, experts_;
  std::vector<double> loss_, balance_loss_, gradient_norm_, learning_rate_;
  std::vector<int64_t> evaluation_step_;
  std::vector<double> held_out_loss_;
  std::vector<int64_t> expert_tokens_;  // [n, L, E]
  std::vector<double> expert_gates_;    // [n, L, E]
  // Since the last evaluation:
  std::vector<int64_t> token_sums_;  // [L, E]
  std::vector<double> gate_sums_;    // [L, E]
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_TRAINING_CURVES_H_
