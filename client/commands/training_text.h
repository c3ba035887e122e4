#ifndef MOEPROBE_CLIENT_COMMANDS_TRAINING_TEXT_H_
#define MOEPROBE_CLIENT_COMMANDS_TRAINING_TEXT_H_

#include <string>

#include "moeprobe/v1/training.pb.h"

namespace moeprobe {

// Short texts about resolved requests of kind train, for people. Parts that
// others wrote are not yet made printable.

// "soft: all experts, temperature 1", "a: dense, as wide as an expert".
std::string VariantText(const v1::Variant& variant);

// "3 layers of width 128, 8 experts of width 256 (gelu_mlp), 4 heads, context
// 64, from normal_0.02"; "no attention" in place of heads and context where
// there is none.
std::string ShapeText(const v1::ModelShape& model);

// "bytes, 10 % held out, datasets/abc"; "16384 examples of 8 clusters
// (separation 1, noise 0), 10 % held out, regression of 16 outputs (per_cluster
// teachers of width 64)".
std::string TrainingDataText(const v1::TrainingData& data);

// "2000 steps of 32 windows, adam at 0.0003 (constant)".
std::string OptimizerText(const v1::TrainSpec& spec);

// "every 200 steps and at the last, on 16384 tokens (held_out)".
std::string TrainingProbeText(const v1::TrainSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_COMMANDS_TRAINING_TEXT_H_
