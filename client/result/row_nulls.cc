#include "client/result/row_nulls.h"

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "moeprobe/v1/result.pb.h"

namespace moeprobe {
namespace {

using v1::SummaryRow;

// A null and where a row has it.
struct NullFields {
  bool (SummaryRow::*has)() const;
  double (SummaryRow::*mean)() const;
  double (SummaryRow::*deviation)() const;
  double (SummaryRow::*p)() const;
};

// NOLINTBEGIN(modernize-use-designated-initializers): rows of tables.
constexpr std::array<NullName, 3> kNames = {
    {{"Random router", "random_router", ""},
     {"Shuffled gates", "permutations", "permutation_"},
     {"Random weights", "random_weights", "random_weights_"}}};

constexpr std::array<NullFields, 3> kFields = {
    {{&SummaryRow::has_null_mean, &SummaryRow::null_mean,
      &SummaryRow::null_standard_deviation, &SummaryRow::p_value},
     {&SummaryRow::has_permutation_null_mean,
      &SummaryRow::permutation_null_mean,
      &SummaryRow::permutation_null_standard_deviation,
      &SummaryRow::permutation_p_value},
     {&SummaryRow::has_random_weights_null_mean,
      &SummaryRow::random_weights_null_mean,
      &SummaryRow::random_weights_null_standard_deviation,
      &SummaryRow::random_weights_p_value}}};
// NOLINTEND(modernize-use-designated-initializers)

}  // namespace

std::span<const NullName> NullNames() { return kNames; }

std::optional<RowNull> NullOf(const v1::SummaryRow& row, size_t i) {
  const NullFields& fields = kFields.at(i);
  if (!(row.*fields.has)()) return std::nullopt;
  return RowNull{.mean = (row.*fields.mean)(),
                 .deviation = (row.*fields.deviation)(),
                 .p = (row.*fields.p)()};
}

}  // namespace moeprobe
