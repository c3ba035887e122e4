#ifndef MOEPROBE_CLIENT_RESULT_ROW_NULLS_H_
#define MOEPROBE_CLIENT_RESULT_ROW_NULLS_H_

#include <cstddef>
#include <optional>
#include <span>

#include "moeprobe/v1/result.pb.h"

namespace moeprobe {

// A null that means are held against, by the names it has.
struct NullName {
  const char* title;   // in tables
  const char* key;     // in JSON: as in a request
  const char* prefix;  // in CSV and of arrays: "permutation_"
};

// Returns all nulls, in the order in which they are shown.
std::span<const NullName> NullNames();

// What a null says of a mean.
struct RowNull {
  double mean = 0;
  double deviation = 0;
  double p = 0;
};

// Returns what null `i` of NullNames() says of the row's mean; nullopt if it
// was not drawn.
std::optional<RowNull> NullOf(const v1::SummaryRow& row, size_t i);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_ROW_NULLS_H_
