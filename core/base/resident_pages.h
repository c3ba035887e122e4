#ifndef MOEPROBE_CORE_BASE_RESIDENT_PAGES_H_
#define MOEPROBE_CORE_BASE_RESIDENT_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>

namespace moeprobe {

// Of more pages than these only so many are looked at, spread evenly: to ask of
// every page of a large checkpoint takes seconds.
inline constexpr int64_t kSampledPages = 4096;

// Returns how many bytes of `mapping`, a whole file that was mapped from
// `path`, are in memory, whoever read them: exactly where it has at most
// kSampledPages pages or all or none of them are there, otherwise as the sample
// suggests. nullopt where the kernel does not tell: it does so only to those
// who own the file or may write to it. Touches no page.
std::optional<int64_t> ResidentBytes(std::span<const std::byte> mapping,
                                     const std::filesystem::path& path);

}  // namespace moeprobe

#endif  // MOEPROBE_CORE_BASE_RESIDENT_PAGES_H_
