#include "server/array_messages.h"

#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/npy.h"
#include "moeprobe/v1/result.pb.h"
#include "storage/published_layer.h"
#include "storage/result_store.h"

namespace moeprobe {

v1::DataType ToMessage(DataType type) {
  switch (type) {
    case DataType::kFloat64:
      return v1::DATA_TYPE_FLOAT64;
    case DataType::kFloat32:
      return v1::DATA_TYPE_FLOAT32;
    case DataType::kInt64:
      return v1::DATA_TYPE_INT64;
  }
  return v1::DATA_TYPE_UNSPECIFIED;
}

v1::ArrayInfo ToMessage(const JobArray& array) {
  const StoredArray& stored = array.array;
  v1::ArrayInfo info;
  info.set_name(array.prefix + stored.name);
  info.set_data_type(ToMessage(stored.data_type));
  for (const int64_t size : stored.shape) info.add_shape(size);
  info.set_sha256(stored.sha256);
  info.set_size_bytes(stored.size_bytes);
  info.set_probe(stored.probe);
  return info;
}

std::string QuantityOf(const std::string& array_name, int64_t layer) {
  const std::string prefix = absl::StrCat("layer", layer, "/");
  return absl::StartsWith(array_name, prefix) ? array_name.substr(prefix.size())
                                              : array_name;
}

}  // namespace moeprobe
