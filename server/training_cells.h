#ifndef MOEPROBE_SERVER_TRAINING_CELLS_H_
#define MOEPROBE_SERVER_TRAINING_CELLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "moeprobe/v1/training.pb.h"

namespace moeprobe {

// Returns the steps after which models are probed, ascending, and those after
// which they are kept, which include 0 and all of the former.
std::vector<int64_t> ProbedSteps(const v1::TrainSpec& spec);
std::vector<int64_t> KeptSteps(const v1::TrainSpec& spec);

// One model of an experiment, at one step, under one set of gates.
struct TrainedCell {
  int variant = 0;  // its place among the variants
  int64_t seed = 0;
  int64_t step = 0;
  int gates = -1;  // place of the variant whose gates it has; -1: its own
};

// Returns all that a resolved experiment probes, in the order of its parts:
// after the last step also under the gates of `swap_routing`, where those are
// other gates than the model's own.
std::vector<TrainedCell> CellsOf(const v1::TrainSpec& spec);

// Returns how many cells an experiment has, and at how many steps each of its
// models is kept, or some more: without listing them.
int64_t CountParts(const v1::TrainSpec& spec);
int64_t CountKeptSteps(const v1::TrainSpec& spec);

// Returns the prefix of a cell's arrays: "top-2/seed0/step200/", and
// "top-2/seed0/step200/gates-soft/".
std::string PrefixOf(const TrainedCell& cell, const v1::TrainSpec& spec);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TRAINING_CELLS_H_
