#include "core/checkpoint/safetensors_writer.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "core/base/whole_file.h"

namespace moeprobe {
namespace {

constexpr size_t kAlignment = 8;

std::string HeaderText(const std::vector<SafetensorsEntry>& tensors) {
  nlohmann::ordered_json header{{"__metadata__", {{"format", "pt"}}}};
  size_t begin = 0;
  for (const SafetensorsEntry& tensor : tensors) {
    const size_t end = begin + tensor.bytes.size();
    header[tensor.name] = {{"dtype", tensor.dtype},
                           {"shape", tensor.shape},
                           {"data_offsets", {begin, end}}};
    begin = end;
  }
  return header.dump();
}

}  // namespace

std::string SafetensorsPrefix(const std::vector<SafetensorsEntry>& tensors) {
  std::string header = HeaderText(tensors);
  header.append((kAlignment - header.size() % kAlignment) % kAlignment, ' ');
  std::string prefix;
  for (size_t byte = 0; byte < sizeof(uint64_t); ++byte) {
    prefix.push_back(static_cast<char>(header.size() >> (8 * byte)));
  }
  return prefix + header;
}

absl::Status WriteSafetensors(const std::filesystem::path& path,
                              const std::vector<SafetensorsEntry>& tensors) {
  const std::string prefix = SafetensorsPrefix(tensors);
  std::vector<std::string_view> pieces{prefix};
  for (const SafetensorsEntry& tensor : tensors) {
    pieces.push_back(tensor.bytes);
  }
  return WriteWholeFile(path, pieces);
}

}  // namespace moeprobe
