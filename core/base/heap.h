#ifndef MOEPROBE_CORE_BASE_HEAP_H_
#define MOEPROBE_CORE_BASE_HEAP_H_

#include <cstdint>

namespace moeprobe {

// Lets this process keep up to 256 MiB of freed memory for the next
// allocations. Giving it back and faulting it in again costs a forward pass
// through small experts more than a tenth of its time. What is larger than 32
// MiB still goes back at once. Call once, at the start of a program.
void KeepFreedMemory();

// Returns how much memory this process holds, mapped files left out: what it
// would need on a machine without room for a page cache.
int64_t AnonymousBytes();

// Returns how much address space this process has that it alone may write,
// touched or not; RLIMIT_DATA is a limit on it.
int64_t WritableBytes();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_HEAP_H_
