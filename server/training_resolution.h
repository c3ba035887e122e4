#ifndef MOEPROBE_SERVER_TRAINING_RESOLUTION_H_
#define MOEPROBE_SERVER_TRAINING_RESOLUTION_H_

#include "moeprobe/v1/training.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "server/violations.h"

namespace moeprobe {

// A controlled experiment with every default filled in, and everything that is
// wrong with it. `spec` can be run if `violations` is empty.
struct ResolvedTraining {
  v1::TrainSpec spec;
  Violations violations;
};

// Checks `asked` against the models and data sets there are.
ResolvedTraining ResolveTraining(const v1::TrainSpec& asked,
                                 ModelRegistry& models, DataCatalog& catalog);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_TRAINING_RESOLUTION_H_
