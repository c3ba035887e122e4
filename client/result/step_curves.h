#ifndef MOEPROBE_CLIENT_RESULT_STEP_CURVES_H_
#define MOEPROBE_CLIENT_RESULT_STEP_CURVES_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "client/result/seed_means.h"
#include "moeprobe/v1/result_service.pb.h"

namespace moeprobe {

// How a quantity of a layer gets on over the steps of training.
struct StepCurve {
  std::string quantity;
  std::string title;   // "Grassmann, routed"
  int layer = 0;       // -1: of the whole model
  std::string column;  // the variant, or "top-2 as soft" under other gates
  std::vector<int64_t> steps;
  std::vector<SeedMean> means;  // over seeds, a mean a step
};

// Returns all curves of a job of kind train, those of a quantity and a layer
// one after the other; none of other jobs.
std::vector<StepCurve> StepCurves(const v1::Result& result);

// Returns them as tables, each curve as a line of blocks with the numbers at
// its ends; curves of one layer share the height of the blocks. No line wider
// than `width` where that can be had.
std::string StepCurvesText(const std::vector<StepCurve>& curves, int width);

// Returns them as a list of curves.
nlohmann::ordered_json StepCurvesJson(const std::vector<StepCurve>& curves);

// Returns them as CSV (RFC 4180, lines end in \n), one line a step.
std::string StepCurvesCsv(const std::vector<StepCurve>& curves);

}  // namespace moeprobe

#endif  // MOEPROBE_CLIENT_RESULT_STEP_CURVES_H_
