#ifndef MOEPROBE_CORE_TENSOR_CONCURRENT_LOOP_H_
#define MOEPROBE_CORE_TENSOR_CONCURRENT_LOOP_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace moeprobe {

// Calls visit(0), ..., visit(count - 1), in any order, for problems too small
// to keep several threads busy each. `bytes_each` is the memory one call needs:
// as many run at once, each on one thread, as fit into 1 GiB. Where only one
// fits they run one after another, each on all threads.
//
// Calls must not depend on each other. What one throws, the loop throws.
void ConcurrentLoop(int64_t count, int64_t bytes_each,
                    absl::FunctionRef<void(int64_t)> visit);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_TENSOR_CONCURRENT_LOOP_H_
