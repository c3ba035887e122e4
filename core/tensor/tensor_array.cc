#include "core/tensor/tensor_array.h"

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#include <string>

#include "core/base/npy.h"

namespace moeprobe {
namespace {

DataType DataTypeOf(at::ScalarType type) {
  switch (type) {
    case at::kDouble:
      return DataType::kFloat64;
    case at::kFloat:
      return DataType::kFloat32;
    case at::kLong:
      return DataType::kInt64;
    default:
      TORCH_CHECK(false, "no array of type ", c10::toString(type));
  }
}

}  // namespace

Array ToArray(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.cpu().contiguous();
  const auto* data = static_cast<const char*>(plain.const_data_ptr());
  return {.type = DataTypeOf(plain.scalar_type()),
          .shape = plain.sizes().vec(),
          .bytes = std::string(data, plain.nbytes())};
}

}  // namespace moeprobe
