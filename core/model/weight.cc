#include "core/model/weight.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "core/checkpoint/tensor_view.h"

namespace moeprobe {
namespace {

at::ScalarType ScalarTypeOf(WeightType type) {
  switch (type) {
    case WeightType::kFloat32:
      return at::kFloat;
    case WeightType::kFloat16:
      return at::kHalf;
    case WeightType::kBFloat16:
      return at::kBFloat16;
  }
  return at::ScalarType::Undefined;
}

WeightType WeightTypeOf(at::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return WeightType::kFloat16;
    case at::kBFloat16:
      return WeightType::kBFloat16;
    default:
      return WeightType::kFloat32;
  }
}

}  // namespace

TensorView ViewOf(const at::Tensor& tensor, std::string name) {
  const auto* data = static_cast<const std::byte*>(tensor.const_data_ptr());
  return {.name = std::move(name),
          .type = WeightTypeOf(tensor.scalar_type()),
          .shape = tensor.sizes().vec(),
          .bytes = {data, tensor.nbytes()}};
}

at::Tensor StoredWeight(const TensorView& view) {
  // from_blob takes a mutable pointer; nothing here writes through it, and a
  // write would fault: the pages are mapped read-only.
  auto* data = const_cast<std::byte*>(view.bytes.data());
  return at::from_blob(data, view.shape, at::dtype(ScalarTypeOf(view.type)));
}

at::Tensor Weight(const TensorView& view, at::ScalarType type) {
  return StoredWeight(view).to(type);
}

std::optional<at::Tensor> OptionalWeight(const std::optional<TensorView>& view,
                                         at::ScalarType type) {
  if (!view.has_value()) return std::nullopt;
  return Weight(*view, type);
}

}  // namespace moeprobe
