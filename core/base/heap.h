#ifndef MOEPROBE_CORE_BASE_HEAP_H_
#define MOEPROBE_CORE_BASE_HEAP_H_

namespace moeprobe {

// Lets this process keep up to 256 MiB of freed memory for the next
// allocations. Giving it back and faulting it in again costs a forward pass
// through small experts more than a tenth of its time. What is larger than 32
// MiB still goes back at once. Call once, at the start of a program.
void KeepFreedMemory();

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_HEAP_H_
