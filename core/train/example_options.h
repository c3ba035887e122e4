#ifndef MOEPROBE_CORE_TRAIN_EXAMPLE_OPTIONS_H_
#define MOEPROBE_CORE_TRAIN_EXAMPLE_OPTIONS_H_

#include <cstdint>

namespace moeprobe {

// What is learned from examples.
enum class Objective : std::uint8_t {
  kRegression,      // the teacher's outputs: mean squared error
  kClassification,  // which of them is the largest: cross entropy
};

// Who says what is right.
enum class Teacher : std::uint8_t {
  kPerCluster,  // each cluster of inputs has a teacher of its own
  kShared,      // one for all inputs
};

// Synthetic examples: a seeded mixture of Gaussians, and what seeded MLPs of
// two layers make of it. How many there are, and their sizes, are the model's.
struct ExampleOptions {
  int64_t clusters = 8;
  // Deviation of the coordinates of clusters' centres; those of inputs around
  // their centre deviate by 1. 0: one Gaussian, whatever the clusters.
  double separation = 1;
  Teacher teacher = Teacher::kPerCluster;
  int64_t teacher_width = 64;
  Objective objective = Objective::kRegression;
  // Deviation of what is added to the teacher's outputs, which have variance 1.
  double noise = 0;
  int64_t seed = 0;
};

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXAMPLE_OPTIONS_H_
