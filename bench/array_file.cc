#include "bench/array_file.h"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <ios>
#include <ostream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/file_content.h"
#include "core/base/npy.h"
#include "core/base/status_macros.h"
#include "core/base/token_windows.h"
#include "core/tensor/tensor_array.h"

namespace moeprobe {
namespace {

constexpr int64_t kMaxIdFileBytes = int64_t{1} << 30;

}  // namespace

absl::Status WriteArray(const std::filesystem::path& path,
                        const at::Tensor& tensor) {
  std::error_code ignored;  // what cannot be made cannot be written to, either
  std::filesystem::create_directories(path.parent_path(), ignored);
  std::ofstream file(path, std::ios::binary);
  file << EncodeNpy(ToArray(tensor)) << std::flush;
  if (file.good()) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat(path.string(), ": cannot be written"));
}

absl::StatusOr<std::vector<int32_t>> ReadWindows(
    const std::filesystem::path& path, int64_t sequence_length) {
  MOEPROBE_ASSIGN_OR_RETURN(const FileContent file,
                            ReadFile(path, kMaxIdFileBytes));
  MOEPROBE_ASSIGN_OR_RETURN(std::vector<int32_t> ids,
                            DecodeTokenIds(file.bytes));
  return CutWindows(std::move(ids),
                    {.tokens = -1, .sequence_length = sequence_length});
}

}  // namespace moeprobe
