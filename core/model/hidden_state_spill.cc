#include "core/model/hidden_state_spill.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ios>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"

namespace moeprobe {
namespace {

// One line of JSON, then the bytes of the residual stream.
constexpr const char* kFileName = "hidden_state";

std::string_view Bytes(const at::Tensor& residual) {
  return {static_cast<const char*>(residual.const_data_ptr()),
          residual.nbytes()};
}

absl::Status WriteError(const std::filesystem::path& path) {
  return absl::ErrnoToStatus(
      errno == 0 ? EIO : errno,
      absl::StrCat("cannot spill hidden states to ", path.string()));
}

}  // namespace

HiddenStateSpill::HiddenStateSpill(std::filesystem::path directory,
                                   std::string key)
    : directory_(std::move(directory)), key_(std::move(key)) {}

std::optional<HiddenState> HiddenStateSpill::Read() const {
  std::ifstream file(directory_ / kFileName, std::ios::binary);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const auto header = nlohmann::json::parse(line, nullptr, false);
  if (!header.is_object() || header.value("key", "") != key_) {
    return std::nullopt;
  }
  HiddenState state{.next_layer = header.value("next_layer", int64_t{0}),
                    .fingerprint = header.value("fingerprint", ""),
                    .residual = at::empty({header.value("tokens", int64_t{0}),
                                           header.value("width", int64_t{0})})};
  file.read(static_cast<char*>(state.residual.mutable_data_ptr()),
            static_cast<std::streamsize>(state.residual.nbytes()));
  if (!file || header.value("sha256", "") != Sha256Hex(Bytes(state.residual))) {
    return std::nullopt;
  }
  return state;
}

absl::Status HiddenStateSpill::Write(const HiddenState& state) const {
  const std::filesystem::path path = directory_ / kFileName;
  const std::filesystem::path temporary = directory_ / "hidden_state.partial";
  const std::string_view bytes = Bytes(state.residual);
  const nlohmann::json header = {{"key", key_},
                                 {"next_layer", state.next_layer},
                                 {"fingerprint", state.fingerprint},
                                 {"tokens", state.residual.size(0)},
                                 {"width", state.residual.size(1)},
                                 {"sha256", Sha256Hex(bytes)}};
  errno = 0;
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
  file << header.dump() << '\n' << bytes;
  file.close();
  if (!file) return WriteError(temporary);
  std::filesystem::rename(temporary, path, error);
  return error ? WriteError(path) : absl::OkStatus();
}

}  // namespace moeprobe
