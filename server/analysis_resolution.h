#ifndef MOEPROBE_SERVER_ANALYSIS_RESOLUTION_H_
#define MOEPROBE_SERVER_ANALYSIS_RESOLUTION_H_

#include <string>
#include <vector>

#include "moeprobe/v1/analysis.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "server/violations.h"

namespace moeprobe {

// An analysis with every default filled in, and everything that is wrong with
// it. `spec` can be run if `violations` is empty.
struct ResolvedAnalysis {
  v1::AnalyzeSpec spec;
  Violations violations;
  std::vector<std::string> warnings;
};

// Checks `asked` against the models and data sets there are.
ResolvedAnalysis ResolveAnalysis(const v1::AnalyzeSpec& asked,
                                 ModelRegistry& models, DataCatalog& catalog);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_ANALYSIS_RESOLUTION_H_
