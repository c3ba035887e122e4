#ifndef MOEPROBE_CLIENT_RESULT_SHOWN_QUANTITIES_H_
#define MOEPROBE_CLIENT_RESULT_SHOWN_QUANTITIES_H_

#include <span>

namespace moeprobe {

// A quantity that tables show, where a result has it.
struct ShownQuantity {
  const char* part;  // "" or "baseline/"
  const char* name;
  const char* group;
  const char* title;  // within the group
};

// Returns them in the order of a table's columns.
std::span<const ShownQuantity> ShownQuantities();

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SHOWN_QUANTITIES_H_
