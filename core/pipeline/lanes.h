#ifndef MOEPROBE_CORE_PIPELINE_LANES_H_
#define MOEPROBE_CORE_PIPELINE_LANES_H_

#include <cstdint>
#include <functional>

namespace moeprobe {

// Calls visit(0), ..., visit(count - 1), begun in this order, on up to
// `threads` new threads, and returns when all have returned. Each of them
// computes by itself, so that what a call computes does not depend on their
// number: for problems too small to keep several threads busy each, such as
// training a small model. `visit` throws nothing.
void RunInLanes(int64_t count, int threads,
                const std::function<void(int64_t)>& visit);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_PIPELINE_LANES_H_
