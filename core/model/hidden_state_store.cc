#include "core/model/hidden_state_store.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/ScalarType.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file_descriptor.h"
#include "core/base/sha256.h"
#include "core/plan/hidden_state_key.h"

namespace moeprobe {
namespace {

// A file is one line of text, this struct, and the bytes of the residual
// stream.
struct Header {
  std::string fingerprint;
  int64_t tokens = 0;
  int64_t width = 0;
  std::string sha256;  // of the file's name and all else
};

constexpr size_t kMaxHeaderBytes = 256;
constexpr int64_t kNumberBytes = sizeof(float);

std::string_view Bytes(const at::Tensor& residual) {
  return {static_cast<const char*>(residual.const_data_ptr()),
          residual.nbytes()};
}

std::string DigestOf(const std::string& name, const Header& header,
                     std::string_view bytes) {
  Sha256 digest;
  digest.Update(absl::StrCat(name, "\n", header.fingerprint, "\n",
                             header.tokens, "\n", header.width, "\n"));
  digest.Update(bytes);
  return digest.Hex();
}

std::string LineOf(const Header& header) {
  return absl::StrCat(header.fingerprint, " ", header.tokens, " ", header.width,
                      " ", header.sha256, "\n");
}

std::optional<Header> ParseLine(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  Header header;
  if (words.size() != 4 || !absl::SimpleAtoi(words[1], &header.tokens) ||
      !absl::SimpleAtoi(words[2], &header.width)) {
    return std::nullopt;
  }
  header.fingerprint = words[0];
  header.sha256 = words[3];
  return header;
}

// Reads until `buffer` is full or the file ends; returns what was read.
size_t ReadInto(const FileDescriptor& file, std::span<char> buffer) {
  size_t size = 0;
  while (size < buffer.size()) {
    const absl::StatusOr<size_t> piece =
        ReadSome(file, buffer.subspan(size), "");
    if (!piece.ok() || *piece == 0) break;
    size += *piece;
  }
  return size;
}

// Leaves the file's position behind the header. nullopt unless there is one
// and as many bytes stand behind it as it says.
std::optional<Header> ReadHeader(const FileDescriptor& file) {
  std::array<char, kMaxHeaderBytes> buffer{};
  const std::string_view read(buffer.data(), ReadInto(file, buffer));
  const size_t end = read.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::optional<Header> header = ParseLine(std::string(read.substr(0, end)));
  const off_t file_bytes = lseek(file.number(), 0, SEEK_END);
  const off_t begin =
      lseek(file.number(), static_cast<off_t>(end) + 1, SEEK_SET);
  if (!header || header->tokens <= 0 || header->width <= 0) return std::nullopt;
  const int64_t numbers = (file_bytes - begin) / kNumberBytes;
  const bool fits = numbers % header->tokens == 0 &&
                    numbers / header->tokens == header->width &&
                    numbers * kNumberBytes == file_bytes - begin;
  return fits ? header : std::nullopt;
}

}  // namespace

std::map<int64_t, std::string> HiddenStateStore::Stored() const {
  std::map<int64_t, std::string> stored;
  for (const int64_t layer : LayersStored(directory_, key_)) {
    const absl::StatusOr<FileDescriptor> file =
        directory_.Open(HiddenStateName(key_, layer));
    if (!file.ok()) continue;
    const std::optional<Header> header = ReadHeader(*file);
    if (header) stored[layer] = header->fingerprint;
  }
  return stored;
}

std::optional<HiddenState> HiddenStateStore::Read(int64_t next_layer) const {
  const std::string name = HiddenStateName(key_, next_layer);
  const absl::StatusOr<FileDescriptor> file = directory_.Open(name);
  if (!file.ok()) return std::nullopt;
  directory_.NoteUse(name);
  const std::optional<Header> header = ReadHeader(*file);
  if (header) {
    HiddenState state{
        .next_layer = next_layer,
        .fingerprint = header->fingerprint,
        .residual = at::empty({header->tokens, header->width}, at::kFloat)};
    const std::span<char> bytes(
        static_cast<char*>(state.residual.mutable_data_ptr()),
        state.residual.nbytes());
    if (ReadInto(*file, bytes) == bytes.size() &&
        header->sha256 == DigestOf(name, *header, Bytes(state.residual))) {
      return state;
    }
  }
  directory_.Remove(name);
  return std::nullopt;
}

absl::Status HiddenStateStore::Write(const HiddenState& state) const {
  const std::string name = HiddenStateName(key_, state.next_layer);
  const std::string_view bytes = Bytes(state.residual);
  Header header{.fingerprint = state.fingerprint,
                .tokens = state.residual.size(0),
                .width = state.residual.size(1),
                .sha256 = ""};
  header.sha256 = DigestOf(name, header, bytes);
  return directory_.Put(name, {LineOf(header), bytes});
}

void HiddenStateStore::Remove(int64_t next_layer) const {
  directory_.Remove(HiddenStateName(key_, next_layer));
}

}  // namespace moeprobe
