#ifndef MOEPROBE_CORE_TRAIN_BALANCE_LOSS_H_
#define MOEPROBE_CORE_TRAIN_BALANCE_LOSS_H_

#include <ATen/core/Tensor.h>

#include "core/train/token_gates.h"

namespace moeprobe {

// Returns how far from balanced a layer's load is, with a gradient:
//   E sum_e (n_e / (k T)) mean_t p_e(t),
// n_e the tokens of expert e, p the probabilities over all experts (Fedus, Zoph
// & Shazeer, Switch Transformers, 2022, eqs. 4-6, for k choices). It is 1 under
// balance and E where all tokens go to one expert; where every token goes
// through all experts it is 1 and moves nothing.
at::Tensor BalanceLoss(const TokenGates& gates);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TRAIN_BALANCE_LOSS_H_
