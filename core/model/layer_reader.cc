#include "core/model/layer_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {
namespace {

// Read at once: large enough for the disk, small enough to stop soon.
constexpr size_t kChunkBytes = size_t{16} << 20U;

// The whole pages that `bytes` touches.
std::span<std::byte> PagesAround(std::span<const std::byte> bytes) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  const uintptr_t first = begin / page * page;
  // madvise takes a mutable pointer and writes nothing.
  return {reinterpret_cast<std::byte*>(first), begin - first + bytes.size()};
}

// Reading a page behind the end of a file that was cut raises SIGBUS; asking
// the kernel to read it first fails politely.
absl::Status Populate(const TensorView& tensor,
                      std::span<const std::byte> chunk) {
  const std::span<std::byte> pages = PagesAround(chunk);
  if (madvise(pages.data(), pages.size(), MADV_POPULATE_READ) != 0 &&
      (errno == EFAULT || errno == EHWPOISON)) {
    return absl::DataLossError(absl::StrCat(
        "tensor ", tensor.name,
        " cannot be read: its file was cut or its disk failed while in use"));
  }
  return absl::OkStatus();  // an old kernel has no such advice: read unadvised
}

absl::Status Digest(const TensorView& tensor, const std::stop_token& stop,
                    Sha256& digest) {
  digest.Update(absl::StrCat("\n", static_cast<int>(tensor.type)));
  for (const int64_t size : tensor.shape)
    digest.Update(absl::StrCat(",", size));
  digest.Update(":");
  std::span<const std::byte> rest = tensor.bytes;
  while (!rest.empty()) {
    if (stop.stop_requested()) return absl::CancelledError("reading stopped");
    const auto chunk = rest.first(std::min(kChunkBytes, rest.size()));
    MOEPROBE_RETURN_IF_ERROR(Populate(tensor, chunk));
    digest.Update({reinterpret_cast<const char*>(chunk.data()), chunk.size()});
    rest = rest.subspan(chunk.size());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Extend(const std::string& fingerprint,
                                   const std::vector<TensorView>& tensors,
                                   const std::stop_token& stop) {
  Sha256 digest;
  digest.Update(fingerprint);
  for (const TensorView& tensor : tensors) {
    MOEPROBE_RETURN_IF_ERROR(Digest(tensor, stop, digest));
  }
  return digest.Hex();
}

}  // namespace

LayerReader::LayerReader(const Checkpoint& checkpoint, int64_t first,
                         int64_t last, std::string previous)
    : checkpoint_(checkpoint),
      wanted_(first),
      thread_([this, first, last,
               previous = std::move(previous)](const std::stop_token& stop) {
        Run(stop, first, last, previous);
      }) {}

void LayerReader::Run(const std::stop_token& stop, int64_t first, int64_t last,
                      std::string fingerprint) {
  absl::StatusOr<std::string> next = std::move(fingerprint);
  if (first == 0) {
    next = Extend(checkpoint_.config_sha256(), {checkpoint_.embedding()}, stop);
  }
  for (int64_t layer = first; layer <= last; ++layer) {
    if (next.ok()) {
      next = Extend(*next, checkpoint_.TensorsOfLayer(layer), stop);
    }
    std::unique_lock lock(mutex_);
    done_.emplace(layer, next);
    changed_.notify_all();
    if (!changed_.wait(lock, stop, [&] { return wanted_ > layer; })) return;
  }
}

absl::StatusOr<std::string> LayerReader::Wait(int64_t layer) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_.contains(layer); });
  wanted_ = layer + 1;
  changed_.notify_all();
  return done_.at(layer);
}

absl::StatusOr<std::string> ModelFingerprint(const Checkpoint& checkpoint,
                                             const std::string& last_layer) {
  return Extend(last_layer, {checkpoint.final_norm(), checkpoint.head()}, {});
}

void ReleaseLayer(const Checkpoint& checkpoint, int64_t layer) {
  for (const TensorView& tensor : checkpoint.TensorsOfLayer(layer)) {
    const std::span<std::byte> pages = PagesAround(tensor.bytes);
    // The mapping is private and never written: dropping it loses nothing.
    madvise(pages.data(), pages.size(), MADV_DONTNEED);
  }
}

}  // namespace moeprobe
