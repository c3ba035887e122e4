#include "tests/testing/safetensors_bytes.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace moeprobe {

std::string SafetensorsBytes(const std::vector<TensorToWrite>& tensors) {
  std::vector<std::string> entries;
  std::string data;
  for (const TensorToWrite& tensor : tensors) {
    const size_t begin = data.size();
    data += tensor.bytes;
    entries.push_back(
        absl::StrCat("\"", tensor.name, R"(":{"dtype":")", tensor.dtype,
                     R"(","shape":[)", absl::StrJoin(tensor.shape, ","),
                     R"(],"data_offsets":[)", begin, ",", data.size(), "]}"));
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  header.append((8 - header.size() % 8) % 8, ' ');
  return RawSafetensors(header, data);
}

std::string RawSafetensors(std::string_view header, std::string_view data) {
  std::string file = HeaderLengthBytes(header.size());
  file.append(header);
  file.append(data);
  return file;
}

std::string HeaderLengthBytes(uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) {
    bytes.push_back(static_cast<char>(length >> (8 * i) & 0xFF));
  }
  return bytes;
}

}  // namespace moeprobe
