#ifndef MOEPROBE_CORE_TRAIN_EXPERT_BLOCK_H_
#define MOEPROBE_CORE_TRAIN_EXPERT_BLOCK_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/model/routing_rule.h"
#include "core/train/parameters.h"
#include "core/train/token_gates.h"

namespace moeprobe {

// Returns the sum over each token's experts of gate times expert, [T, d], or
// what a layer's dense MLP computes, with gradients where those are enabled.
// Adds where tokens go to `routing` if the layer has experts.
//
// `x` [T, d]; `rule` is not looked at in a dense layer.
at::Tensor RunExpertBlock(const at::Tensor& x, const LayerParameters& layer,
                          const RoutingRule& rule,
                          std::vector<TokenGates>& routing);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_EXPERT_BLOCK_H_
