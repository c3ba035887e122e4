#ifndef MOEPROBE_CORE_TRAIN_EXAMPLES_H_
#define MOEPROBE_CORE_TRAIN_EXAMPLES_H_

#include <ATen/core/Tensor.h>

#include "core/plan/decoder_shape.h"
#include "core/train/example_options.h"

namespace moeprobe {

// Inputs, and what is to be made of them.
struct Examples {
  at::Tensor inputs;    // [N, d] float32
  at::Tensor targets;   // [N, m] float32, or [N] int64: classes
  at::Tensor clusters;  // [N] int64: where inputs are drawn from
};

// Returns the N examples of an MLP of `shape`, of width d with m outputs:
//   x = s c_k + z,  y = B_k gelu(A_k x + b_k),
// with a cluster k drawn uniformly; c, z, b from normal(0, 1) and s the
// separation; A from normal(0, 1/d) and B from normal(0, 1/w), variances, of a
// teacher of width w. Each output is shifted and scaled to mean 0 and variance
// 1 over all examples before noise is added: a squared error of 1 is that of
// their mean. Classes are the largest outputs.
//
// They depend on the options and N, d, m alone: on no other draw of training.
Examples MakeExamples(const ExampleOptions& options, const DecoderShape& shape);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXAMPLES_H_
