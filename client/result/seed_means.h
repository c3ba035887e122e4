#ifndef MOEPROBE_CLIENT_RESULT_SEED_MEANS_H_
#define MOEPROBE_CLIENT_RESULT_SEED_MEANS_H_

#include <cstddef>
#include <optional>

#include "client/result/training_rows.h"

namespace moeprobe {

// What the models of several seeds say of one quantity.
struct SeedMean {
  double mean = 0;
  // nullopt: over one number.
  std::optional<double> deviation = {};
};

// Returns the mean of the rows' means and their sample standard deviation (n -
// 1); with one seed that of the row, over pairs. nullopt without rows.
std::optional<SeedMean> MeanOverSeeds(const TrainingRows::Seeds& seeds);

// Returns the mean of what null `i` of NullNames() comes to and the standard
// deviation of its draws, pooled over seeds; nullopt if no seed has it.
std::optional<SeedMean> NullOverSeeds(const TrainingRows::Seeds& seeds,
                                      size_t i);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_SEED_MEANS_H_
