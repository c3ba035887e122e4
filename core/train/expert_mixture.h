#ifndef MOEPROBE_CORE_TRAIN_EXPERT_MIXTURE_H_
#define MOEPROBE_CORE_TRAIN_EXPERT_MIXTURE_H_

#include <ATen/core/Tensor.h>

#include "core/train/expert_rows.h"
#include "core/train/parameters.h"

namespace moeprobe {

// Returns the sum over a token's experts of gate times expert, [T, d], with a
// gradient written by hand: experts see only the tokens that go to them, where
// all do the sum over experts is part of one product, and of what is wide only
// pre-activations are kept between the two passes.
//
// `x` [T, d]; `gates` [T, k], or [T, E] where every token goes through all
// experts. Biases b_2 are left out: their sum is the gates' product with them.
at::Tensor MixExperts(const at::Tensor& x, const at::Tensor& gates,
                      const ExpertRows& rows, const ExpertParameters& experts);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXPERT_MIXTURE_H_
