#ifndef MOEPROBE_CORE_MODEL_PAGE_READER_H_
#define MOEPROBE_CORE_MODEL_PAGE_READER_H_

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "core/checkpoint/tensor_view.h"

namespace moeprobe {

// Brings the pages of mapped weights into memory on threads of its own. Two of
// them keep a disk busier than one: 1.5 against 0.75 GB/s where it was
// measured.
class PageReader {
 public:
  // Begins to read. The checkpoint behind `tensors` must outlive the object.
  explicit PageReader(std::vector<TensorView> tensors);
  // Stops reading.
  ~PageReader() = default;

  // Waits until all pages are in memory. DataLoss if a file was cut while
  // mapped.
  absl::Status Wait();

 private:
  void Run(const std::stop_token& stop, size_t first_chunk);

  std::vector<TensorView> tensors_;
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::array<std::jthread, 2> threads_;  // last: use all of the above
};

// Reads the pages of `bytes`, a part of `tensor`. Touching a page behind the
// end of a file that was cut raises SIGBUS; this fails politely, with DataLoss.
absl::Status ReadPages(const TensorView& tensor,
                       std::span<const std::byte> bytes);

// Gives the pages of a weight back to the system. They stay in the page cache
// as long as there is room.
void ReleasePages(const TensorView& tensor);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_MODEL_PAGE_READER_H_
