#ifndef MOEPROBE_CORE_MODEL_WEIGHT_H_
#define MOEPROBE_CORE_MODEL_WEIGHT_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <optional>
#include <string>

#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// Returns a tensor, contiguous and of a type that weights have, as a weight
// where it lies. The result must not outlive the tensor. It is named `name`.
TensorView ViewOf(const at::Tensor& tensor, std::string name);

// Returns a weight where it is mapped, in the type it is stored in. The result
// must not outlive the checkpoint and must not be written to.
at::Tensor StoredWeight(const TensorView& view);

// Returns a weight as a tensor of `type`: the mapped file itself where it
// already has that type, a converted copy otherwise. The result must not
// outlive the checkpoint and must not be written to.
at::Tensor Weight(const TensorView& view, at::ScalarType type);

// The same of a weight that a family may lack.
std::optional<at::Tensor> OptionalWeight(const std::optional<TensorView>& view,
                                         at::ScalarType type);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_WEIGHT_H_
