#ifndef MOEPROBE_CORE_BASE_HEAP_H_
#define MOEPROBE_CORE_BASE_HEAP_H_

#include <cstdint>

namespace moeprobe {

// What programs keep whose largest pieces of memory are tensors, or messages.
inline constexpr int kKeptForTensors = 256 << 20;
inline constexpr int kKeptForMessages = 512 << 10;

// Lets each heap of this process keep up to `bytes` of freed memory for the
// next allocations. Giving it back and faulting it in again costs a forward
// pass through small experts more than a tenth of its time, and a submission a
// seventh. What is larger than a quarter of it, or than 32 MiB, still goes back
// at once. Call once, at the start of a program.
void KeepFreedMemory(int bytes);

// Heaps for each core of a program whose threads come and go with messages.
// With twice as many, threads wait for fewer locks and a submission takes a
// twentieth less, but what heaps keep grows for longer: on two cores by more
// than a mebibyte from the second tenth of twenty minutes under load to the
// last.
inline constexpr int kHeapsPerCore = 1;

// Lets threads share `count` heaps; otherwise there may be eight for each core.
// A heap keeps what it once needed, so a program that lives long grows until
// the last has seen the largest messages. Call once, before the first thread.
void LimitHeaps(int count);

// Returns how much memory this process holds, mapped files left out: what it
// would need on a machine without room for a page cache.
int64_t AnonymousBytes();

// Returns how much address space this process has that it alone may write,
// touched or not; RLIMIT_DATA is a limit on it.
int64_t WritableBytes();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_HEAP_H_
