#ifndef MOEPROBE_SERVER_SUMMARY_H_
#define MOEPROBE_SERVER_SUMMARY_H_

#include <optional>
#include <string>
#include <vector>

#include "core/base/npy.h"
#include "storage/published_layer.h"

namespace moeprobe {

// Returns mean and population deviation of `numbers`, those that are NaN left
// out; NaN where none is left.
ArraySummary SummaryOf(std::vector<double> numbers);

// Boils an array of a layer down to its mean: over the pairs i < j of an [E, E]
// matrix, over the entries of an [E] vector, or a single number; entries that
// are NaN are left out. The deviation is that of the population.
//
// Returns nullopt for arrays whose mean says nothing: other shapes, counts of
// co-activation, histograms, spectra, bases and angles, matrices without pairs,
// and what belongs to another array's mean. `quantity` is the array's name
// without its layer.
std::optional<ArraySummary> Summarize(const std::string& quantity,
                                      const Array& array);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_SUMMARY_H_
