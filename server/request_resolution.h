#ifndef MOEPROBE_SERVER_REQUEST_RESOLUTION_H_
#define MOEPROBE_SERVER_REQUEST_RESOLUTION_H_

#include <string>
#include <vector>

#include "moeprobe/v1/job.pb.h"
#include "server/data_catalog.h"
#include "server/model_registry.h"
#include "server/violations.h"

namespace moeprobe {

// A request with every default filled in, and everything that is wrong with
// it. `job` has nothing but its spec, which can be run if `violations` is
// empty.
struct ResolvedRequest {
  v1::Job job;
  Violations violations;
  std::vector<std::string> warnings;
};

// Checks the spec of `job` against the models and data sets there are.
ResolvedRequest ResolveRequest(const v1::Job& job, ModelRegistry& models,
                               DataCatalog& catalog);

}  // namespace moeprobe

#endif  // MOEPROBE_SERVER_REQUEST_RESOLUTION_H_
