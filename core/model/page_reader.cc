#include "core/model/page_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {
namespace {

constexpr size_t kChunkBytes = size_t{16} << 20U;

// The whole pages that `bytes` touches.
std::span<std::byte> PagesAround(std::span<const std::byte> bytes) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t before = reinterpret_cast<uintptr_t>(bytes.data()) % page;
  // madvise takes a mutable pointer and writes nothing.
  return {const_cast<std::byte*>(bytes.data()) - before, before + bytes.size()};
}

}  // namespace

PageReader::PageReader(std::vector<TensorView> tensors)
    : tensors_(std::move(tensors)) {
  for (size_t t = 0; t < threads_.size(); ++t) {
    threads_[t] =
        std::jthread([this, t](const std::stop_token& stop) { Run(stop, t); });
  }
}

// Chunks are dealt to the threads in turn.
void PageReader::Run(const std::stop_token& stop, size_t first_chunk) {
  size_t chunk = 0;
  for (const TensorView& tensor : tensors_) {
    for (size_t begin = 0; begin < tensor.bytes.size();
         begin += kChunkBytes, ++chunk) {
      if (chunk % threads_.size() != first_chunk) continue;
      if (stop.stop_requested()) return;
      const absl::Status read = ReadPages(
          tensor,
          tensor.bytes.subspan(
              begin, std::min(kChunkBytes, tensor.bytes.size() - begin)));
      if (read.ok()) continue;
      const MutexLock lock(mutex_);
      status_ = read;
      return;
    }
  }
}

absl::Status PageReader::Wait() {
  for (std::jthread& thread : threads_) thread.join();
  const MutexLock lock(mutex_);
  return status_;
}

absl::Status ReadPages(const TensorView& tensor,
                       std::span<const std::byte> bytes) {
  const std::span<std::byte> pages = PagesAround(bytes);
  if (madvise(pages.data(), pages.size(), MADV_POPULATE_READ) == 0 ||
      errno == EINVAL) {  // a kernel older than 5.14 has no such advice
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat("tensor ", tensor.name,
                   " cannot be read: its file was cut, or its disk failed, "
                   "while in use"));
}

void ReleasePages(const TensorView& tensor) {
  const std::span<std::byte> pages = PagesAround(tensor.bytes);
  // The mapping is private and never written: dropping it loses nothing.
  madvise(pages.data(), pages.size(), MADV_DONTNEED);
}

}  // namespace moeprobe
