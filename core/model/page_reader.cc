#include "core/model/page_reader.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {
namespace {

constexpr size_t kChunkBytes = size_t{128} << 20U;

// The whole pages that `bytes` touches.
std::span<std::byte> PagesAround(std::span<const std::byte> bytes) {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t before = reinterpret_cast<uintptr_t>(bytes.data()) % page;
  // madvise takes a mutable pointer and writes nothing.
  return {const_cast<std::byte*>(bytes.data()) - before, before + bytes.size()};
}

}  // namespace

PageReader::PageReader(std::vector<TensorView> tensors,
                       std::function<void(const TensorView&)> on_arrival)
    : tensors_(std::move(tensors)),
      on_arrival_(std::move(on_arrival)),
      thread_([this](const std::stop_token& stop) { outcome_ = Run(stop); }) {}

absl::Status PageReader::Run(const std::stop_token& stop) const {
  for (const TensorView& tensor : tensors_) {
    const size_t size = tensor.bytes.size();
    for (size_t begin = 0; begin < size; begin += kChunkBytes) {
      if (stop.stop_requested()) return absl::OkStatus();
      MOEPROBE_RETURN_IF_ERROR(ReadPages(
          tensor,
          tensor.bytes.subspan(begin, std::min(kChunkBytes, size - begin))));
    }
    on_arrival_(tensor);
  }
  return absl::OkStatus();
}

absl::Status PageReader::Wait() {
  thread_.join();
  return outcome_;
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
