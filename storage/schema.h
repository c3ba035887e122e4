#ifndef MOEPROBE_STORAGE_SCHEMA_H_
#define MOEPROBE_STORAGE_SCHEMA_H_

#include <span>

namespace moeprobe {

// Marks a SQLite file as ours: "moep".
inline constexpr int kApplicationId = 0x6d6f6570;

// The steps that make an empty file the current schema, in order: after step i
// (counted from 1) the file's user_version is i. Forward only; a step that was
// released never changes.
std::span<const char* const> Migrations();

}  // namespace moeprobe

#endif  // MOEPROBE_STORAGE_SCHEMA_H_
